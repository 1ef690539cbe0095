import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { parse } from 'yaml'
import type { Cluster } from './cluster.ts'
import { run } from './command.ts'

/** Arguments of `helm install` that name the image; none if it has the name that the chart expects. */
export type ImageValues = readonly string[]

const root = fileURLToPath(new URL('..', import.meta.url))
const longMs = 15 * 60_000

/**
 * Provides an image of Waybill that the cluster's nodes have or can pull: the one named in `WAYBILL_IMAGE`, else one
 * built from the Dockerfile and loaded into the cluster.
 */
export const provideImage = async ({ kubectl, scripts, env }: Cluster): Promise<ImageValues> => {
  const given = process.env.WAYBILL_IMAGE
  if (given) return valuesOf(given)
  const built = `waybill:${await chartVersion()}`
  if (scripts) {
    await run(`${scripts}/images`, ['node:24', 'rabbitmq'], { timeoutMs: longMs })
    await run(`${scripts}/build-image`, [root, `${root}Dockerfile`, built], { timeoutMs: longMs })
    return []
  }
  const kind = /^kind-(.+)$/.exec((await kubectl(['config', 'current-context']).catch(() => '')).trim())?.[1]
  if (kind === undefined) {
    throw new Error(
      'Cannot load an image into this cluster: it is not a kind cluster. Push one to a registry that the cluster\n' +
        'pulls from, and set WAYBILL_IMAGE: docker build -t REGISTRY/waybill:e2e . && docker push REGISTRY/waybill:e2e && ' +
        'WAYBILL_IMAGE=REGISTRY/waybill:e2e npm run e2e',
    )
  }
  await run('docker', ['build', '-t', built, root], { env, timeoutMs: longMs })
  await run('kind', ['load', 'docker-image', built, '--name', kind], { env, timeoutMs: longMs })
  return []
}

const valuesOf = (name: string): ImageValues => {
  const at = name.lastIndexOf(':')
  if (at <= name.lastIndexOf('/')) throw new Error(`WAYBILL_IMAGE is ${name}: it must end with a tag, such as :dev`)
  return ['--set', `image.repository=${name.slice(0, at)}`, '--set-string', `image.tag=${name.slice(at + 1)}`]
}

const chartVersion = async (): Promise<string> => {
  const text = await readFile(`${root}charts/waybill/Chart.yaml`, 'utf8')
  return (parse(text) as { appVersion: string }).appVersion
}
