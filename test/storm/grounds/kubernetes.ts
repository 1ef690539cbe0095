import { kinds } from '../../../src/api/kinds/kinds.ts'
import { apiVersion, type Kind, type Resource } from '../../../src/api/resource.ts'
import { collectionPath, corePath } from '../../../src/store/kubernetes/api/paths.ts'
import { installChartRoles } from '../../support/chart.ts'
import { freePort } from '../../support/free-port.ts'
import { faultyProxy } from '../../support/kubernetes/faulty-proxy.ts'
import { namespace } from '../../support/kubernetes/found-server.ts'
import { request } from '../../support/kubernetes/request.ts'
import type { RunningApiServer } from '../../support/kubernetes/server.ts'
import { throughProxy } from '../../support/kubernetes/through-proxy.ts'
import type { Manifest } from '../../support/manifests.ts'
import { eventually } from '../../support/wait.ts'
import { startCommand } from '../../support/waybill.ts'
import type { ApiFaults } from '../fault.ts'
import type { Ground } from './ground.ts'
import { keep } from './process.ts'

/** So long a change may take while the API server or the operator is away. */
const patienceMs = 120_000

/** A namespace of the API server of this run, an operator and two dispatchers, each behind a proxy of its own. */
export const kubernetesGround = async (server: RunningApiServer, logFile: string): Promise<Ground> => {
  const cleanUp = new AsyncDisposableStack()
  const own = cleanUp.adopt(await namespace('storm'), ({ drop }) => drop())
  const accounts = await installChartRoles({ namespace: own.name, watchNamespaces: [own.name] })
  const groups = new Map<string, readonly Manifest[]>()
  const ended: string[] = []
  const pathOf = (name: string): string => {
    const kind = kinds.find((one) => one.kind === name)
    return kind ? collectionPath(kind, own.name) : corePath('secrets', own.name)
  }

  const asked = async (...to: [method: string, path: string, body?: object, type?: string]) => {
    const answer = await request(server, ...to)
    if (answer.status >= 300 && answer.status !== 404)
      throw new Error(`${to[0]} ${to[1]} was answered ${answer.status}: ${JSON.stringify(answer.body)}`)
    return answer.status === 404 ? undefined : (answer.body as Resource)
  }
  const apply = async (manifest: Manifest): Promise<void> => {
    const { kind, metadata } = manifest
    const path = `${pathOf(kind)}/${metadata.name}`
    const wanted = { ...manifest, metadata: { ...metadata, namespace: own.name } }
    await eventually(
      async () => {
        if ((await asked('GET', path))?.metadata.deletionTimestamp !== undefined) return false
        const query = 'fieldManager=storm&force=true'
        return asked('PATCH', `${path}?${query}`, wanted, 'application/apply-patch+yaml')
      },
      { timeoutMs: patienceMs, everyMs: 250 },
    )
  }
  const remove = ({ kind, metadata }: Manifest): Promise<unknown> =>
    eventually(() => asked('DELETE', `${pathOf(kind)}/${metadata.name}`).then(() => true), {
      ...{ timeoutMs: patienceMs, everyMs: 250 },
    })

  const proxies: ApiFaults['proxies'][number][] = []
  const ports = [await freePort(), await freePort()]
  const process = async (component: 'operator' | 'dispatcher', name: string, listen: string, args: string[]) => {
    const proxy = cleanUp.adopt(await faultyProxy(server), ({ close }) => close())
    proxies.push(proxy)
    const account = accounts[component]
    const KUBECONFIG = throughProxy(server, account, `${name}.storm`, proxy.cluster().server)
    const command = [component, '--watch-namespace', own.name, '--lease-name', account.name, ...args]
    const launch = () => startCommand(command, { env: { KUBECONFIG }, listen, logFile })
    return cleanUp.adopt(
      keep(name, launch, (what) => ended.push(what)),
      (one) => one.stop(),
    )
  }
  const peers = ports.flatMap((port) => ['--peers', `127.0.0.1:${port}`])
  const dispatcher = (index: number) =>
    process('dispatcher', `dispatcher ${index}`, `127.0.0.1:${ports[index]}`, [
      ...['--identity', `replica-${index}`, '--allow-loopback', '--drain-timeout', '5s', ...peers],
    ])
  const processes = [
    await process('operator', 'operator', '127.0.0.1:0', []),
    await dispatcher(0),
    await dispatcher(1),
  ] as const

  return {
    ...{ namespace: own.name, dispatchers: 2, ended },
    async write(group, manifests) {
      groups.set(group, manifests)
      for (const manifest of manifests) await apply(manifest)
    },
    async delete(group) {
      await Promise.all((groups.get(group) ?? []).toReversed().map(remove))
    },
    async list<K extends Kind>({ kind }: K) {
      const answer = await asked('GET', pathOf(kind))
      const { items } = answer as unknown as { items: Resource<K>[] }
      // Those of a list have neither.
      return items.map((item) => ({ ...item, apiVersion, kind }))
    },
    start: async () => {
      await Promise.all(processes.map((one) => one.start()))
    },
    faults: { processes, folder: undefined, api: { server, proxies } },
    [Symbol.asyncDispose]: () => cleanUp.disposeAsync(),
  }
}
