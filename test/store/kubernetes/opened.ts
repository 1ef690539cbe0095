import type { AnyKind } from '../../../src/api/kinds/kinds.ts'
import { topic } from '../../../src/api/kinds/topic.ts'
import { type Client, createClient } from '../../../src/store/kubernetes/api/client.ts'
import { type KubernetesStore, openKubernetes } from '../../../src/store/kubernetes/store.ts'
import type { Change } from '../../../src/store/store.ts'
import { createMetrics, type Metrics } from '../../../src/telemetry/metrics.ts'
import { apiServer } from '../../support/api-server.ts'
import { type FaultyProxy, faultyProxy } from '../../support/kubernetes/faulty-proxy.ts'
import { type Answer, request } from '../../support/kubernetes/request.ts'
import type { ApiServer } from '../../support/kubernetes/server.ts'
import { createNamespace, type TestNamespace } from '../../support/kubernetes/test-namespace.ts'
import { type Line, memoryLog } from '../manifests.ts'

/** A namespace of its own, and a way to the API server with faults that the test sets. */
export type World = {
  readonly server: ApiServer
  readonly own: TestNamespace
  readonly proxy: FaultyProxy
  readonly metrics: Metrics
  readonly lines: readonly Line[]
  open(options?: Options): Promise<Opened>
  /** As administrator, past the proxy. */
  direct(method: string, path: string, body?: unknown, type?: string): Promise<Answer>
  /** Creates or changes a topic, past the proxy. */
  putTopic(name: string, spec?: object): Promise<void>
}

type Options = {
  readonly namespaces?: readonly string[]
  readonly labelSelector?: string
  readonly watchMs?: number
  readonly signal?: AbortSignal
  /** Whose rights to have; the administrator's when left out. */
  readonly token?: string
}

export type Opened = {
  readonly store: KubernetesStore
  /** As the store announced them. */
  readonly changes: readonly Change[]
  names(kind?: AnyKind): string[]
  close(): Promise<void>
}

export const mergePatch = 'application/merge-patch+json'

/** A world for each test of the block that calls it, gone after the test. */
export const worldForEach = (give: (world: World, cleanUp: AsyncDisposableStack) => void): void => {
  let cleanUp: AsyncDisposableStack
  beforeEach(async () => {
    cleanUp = new AsyncDisposableStack()
    give(await world(cleanUp), cleanUp)
  })
  afterEach(() => cleanUp.disposeAsync())
}

/** Everything of it goes with `cleanUp`. */
export const world = async (cleanUp: AsyncDisposableStack, ownServer?: ApiServer): Promise<World> => {
  const server = ownServer ?? apiServer()
  const own = await createNamespace(server, 'store')
  // One that is not ours alone goes on to serve others.
  if (ownServer === undefined) cleanUp.defer(own.drop)
  const proxy = cleanUp.adopt(await faultyProxy(server), ({ close }) => close())
  const metrics = createMetrics()
  const log = memoryLog()
  const direct: World['direct'] = (...all) => request(server, ...all)

  const connect = (token?: string): Client =>
    cleanUp.adopt(createClient(proxy.cluster(token), { component: 'test', metrics }), ({ close }) => close())

  const open = async (options: Options = {}): Promise<Opened> => {
    const { namespaces = [own.name], labelSelector, watchMs, signal, token } = options
    const stop = new AbortController()
    const store = await openKubernetes(
      {
        client: connect(token),
        watched: labelSelector ? { names: [], labelSelector } : { names: namespaces },
        component: 'waybill-operator',
        identity: 'test',
        log,
        metrics,
        ...(watchMs ? { watchMs } : {}),
      },
      signal ? AbortSignal.any([signal, stop.signal]) : stop.signal,
    )
    const changes: Change[] = []
    store.onChange((change) => changes.push(change))
    const close = async () => {
      stop.abort()
      await store.done
    }
    return cleanUp.adopt(
      {
        store,
        changes,
        names: (kind = topic) => store.list(kind).map(({ metadata }) => metadata.name),
        close,
      },
      close,
    )
  }

  const putTopic = async (name: string, spec: object = {}): Promise<void> => {
    const path = `/apis/waybill.dev/v1alpha1/namespaces/${own.name}/topics/${name}?fieldManager=test&force=true`
    const body = {
      apiVersion: 'waybill.dev/v1alpha1',
      kind: 'Topic',
      metadata: { name },
      spec: { brokerRef: { name: 'main' }, ...spec },
    }
    const { status, body: answer } = await direct('PATCH', path, body, 'application/apply-patch+yaml')
    if (status >= 300) throw new Error(JSON.stringify(answer))
  }

  return { server, own, proxy, metrics, lines: log.lines, open, direct, putTopic }
}
