import type { Condition, ConditionType } from '../../src/api/conditions.ts'
import { apiVersion, type Kind, type Resource } from '../../src/api/resource.ts'
import { apiServer, namespace } from './api-server.ts'
import { installChartRoles } from './chart.ts'
import { request } from './kubernetes/request.ts'
import type { TestNamespace } from './kubernetes/test-namespace.ts'
import { throughProxy } from './kubernetes/through-proxy.ts'
import { connectProducer, type Producer } from './publish.ts'
import { freshVhost, type Vhost } from './vhost.ts'
import { eventually } from './wait.ts'
import { type Command, startCommand } from './waybill.ts'

export type ReportedEvent = {
  readonly type: string
  readonly reason: string
  readonly message: string
  readonly count: number
}

export type StartOptions = {
  /** `host:port` of its HTTP server. Default: a free port of 127.0.0.1. */
  readonly listen?: string
  readonly args?: readonly string[]
  readonly env?: NodeJS.ProcessEnv
  /** Another URL of the API server, such as that of a proxy. */
  readonly through?: string
  /** The file of the older release's command line, which knows no Lease of dispatchers. Default: this release's. */
  readonly program?: string
}

/** A namespace on the API server of the tests, a virtual host, and Waybill's processes with the chart's permissions. */
export type ClusterShop = {
  readonly own: TestNamespace
  readonly vhost: Vhost
  readonly producer: Producer
  /** Starts a process on the resources of the namespace; it is stopped with the shop. */
  start(component: 'operator' | 'dispatcher', options?: StartOptions): Promise<Command>
  get<K extends Kind>(kind: K, name: string): Promise<Resource<K> | undefined>
  /** Waits until a condition has this status and, if given, this reason. */
  condition(
    kind: Kind,
    name: string,
    type: ConditionType,
    status: Condition['status'],
    reason?: string,
    options?: { readonly timeoutMs: number },
  ): Promise<Condition>
  /** The Events of one resource, oldest first. */
  events(kind: Kind, name: string): Promise<ReportedEvent[]>
  [Symbol.asyncDispose](): Promise<void>
}

/** With `values`, the roles are those of the chart with these values, which may be cluster-wide. */
export const openClusterShop = async (values?: object): Promise<ClusterShop> => {
  const cleanUp = new AsyncDisposableStack()
  const own = cleanUp.adopt(await namespace('shop'), ({ drop }) => drop())
  const vhost = cleanUp.adopt(await freshVhost(), ({ drop }) => drop())
  const producer = cleanUp.adopt(await connectProducer(vhost.amqpUrl), ({ close }) => close())
  const accounts = await installChartRoles({
    namespace: own.name,
    watchNamespaces: [own.name],
    ...(values === undefined ? {} : { values, release: own.name }),
  })

  const get = async <K extends Kind>({ plural }: K, name: string): Promise<Resource<K> | undefined> => {
    const path = `/apis/${apiVersion}/namespaces/${own.name}/${plural}/${name}`
    const { status, body } = await request(apiServer(), 'GET', path)
    return status === 200 ? (body as Resource<K>) : undefined
  }

  return {
    ...{ own, vhost, producer, get },
    async start(component, { args = [], through, env = {}, ...listen } = {}) {
      const account = accounts[component]
      const options = ['--watch-namespace', own.name, '--lease-name', account.name, ...args]
      if (component === 'operator' && listen.program === undefined)
        options.push('--dispatcher-lease-name', accounts.dispatcher.name)
      const KUBECONFIG =
        through === undefined
          ? account.kubeconfig
          : throughProxy(apiServer(), account, `${account.name}.through`, through)
      return cleanUp.adopt(
        await startCommand([component, ...options], { env: { ...env, KUBECONFIG }, ...listen }),
        ({ stop }) => stop(),
      )
    },
    condition: (kind, name, type, status, reason, options) =>
      eventually(
        async () => {
          const conditions = (await get(kind, name))?.status?.conditions
          const found = conditions?.find((one) => one.type === type)
          if (found?.status === status && (reason === undefined || found.reason === reason)) return found
          throw new Error(`${kind.kind} ${name} has ${JSON.stringify(conditions)}`)
        },
        { everyMs: 50, ...options },
      ),
    async events({ kind }, name) {
      const { body } = await request(apiServer(), 'GET', `/api/v1/namespaces/${own.name}/events`)
      type Event = ReportedEvent & {
        involvedObject: { kind: string; name: string }
        metadata: { resourceVersion: string }
      }
      return (body as { items: Event[] }).items
        .filter(({ involvedObject: of }) => of.kind === kind && of.name === name)
        .toSorted((a, b) => Number(a.metadata.resourceVersion) - Number(b.metadata.resourceVersion))
    },
    [Symbol.asyncDispose]: () => cleanUp.disposeAsync(),
  }
}
