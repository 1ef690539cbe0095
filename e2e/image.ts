import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { parse } from 'yaml'
import type { Cluster } from './cluster.ts'
import { run } from './command.ts'
import { olderVersion } from './names.ts'

/** Arguments of `helm install` that name the image; none if it has the name that the chart expects. */
export type ImageValues = readonly string[]

const root = fileURLToPath(new URL('..', import.meta.url))
const longMs = 15 * 60_000

/**
 * Provides an image of Waybill that the cluster's nodes have or can pull: the one named in `WAYBILL_IMAGE`, else one
 * built from the Dockerfile and loaded into the cluster.
 */
export const provideImage = async (cluster: Cluster): Promise<ImageValues> => {
  const given = process.env.WAYBILL_IMAGE
  if (given) return valuesOf(given)
  if (cluster.scripts) await run(`${cluster.scripts}/images`, ['node:24', 'rabbitmq'], { timeoutMs: longMs })
  await buildInto(cluster, root, `waybill:${await chartVersion()}`)
  return []
}

/** The same for the older release, from `WAYBILL_OLDER_IMAGE` or the folder `older-release`. */
export const provideOlderImage = async (cluster: Cluster): Promise<ImageValues> => {
  const given = process.env.WAYBILL_OLDER_IMAGE
  if (given) return valuesOf(given)
  await buildInto(cluster, `${root}e2e/older-release/`, `waybill:${olderVersion}`)
  return []
}

const buildInto = async ({ kubectl, scripts, env }: Cluster, folder: string, tag: string): Promise<void> => {
  if (scripts) {
    await run(`${scripts}/build-image`, [folder, `${folder}Dockerfile`, tag], { timeoutMs: longMs })
    return
  }
  const kind = /^kind-(.+)$/.exec((await kubectl(['config', 'current-context']).catch(() => '')).trim())?.[1]
  if (kind === undefined) {
    throw new Error(
      'Cannot load an image into this cluster: it is not a kind cluster. Push images to a registry that the cluster\n' +
        'pulls from, and set WAYBILL_IMAGE and WAYBILL_OLDER_IMAGE: docker build -t REGISTRY/waybill:e2e . &&\n' +
        'docker build -t REGISTRY/waybill:older e2e/older-release, docker push of both, and\n' +
        'WAYBILL_IMAGE=REGISTRY/waybill:e2e WAYBILL_OLDER_IMAGE=REGISTRY/waybill:older npm run e2e',
    )
  }
  await run('docker', ['build', '-t', tag, folder], { env, timeoutMs: longMs })
  await run('kind', ['load', 'docker-image', tag, '--name', kind], { env, timeoutMs: longMs })
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
