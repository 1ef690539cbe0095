import type { Condition, ConditionType } from '../../src/api/conditions.ts'
import { subscription as kind, type Subscription } from '../../src/api/kinds/subscription.ts'
import { type Running, snapshotPath, startDispatcher } from '../../src/dispatcher/main.ts'
import { startOperator } from '../../src/operator/main.ts'
import { pageRoutes } from '../../src/server/pages.ts'
import { startServer } from '../../src/server/server.ts'
import { openDirectory } from '../../src/store/directory/store.ts'
import type { Store } from '../../src/store/store.ts'
import { createLog } from '../../src/telemetry/log.ts'
import { createMetrics } from '../../src/telemetry/metrics.ts'
import { freePort } from '../support/free-port.ts'
import { type ManifestFolder, manifestFolder } from '../support/manifests.ts'
import { connectProducer, type Producer } from '../support/publish.ts'
import { type Subscriber, startSubscriber } from '../support/subscriber.ts'
import { freshVhost, type Vhost } from '../support/vhost.ts'
import { eventually } from '../support/wait.ts'

export type Replica = {
  /** Of its snapshot. */
  readonly url: string
  readonly running: Running
  logs(): string
  /** How many statuses it wrote. */
  writes(): Promise<number>
  /** How many replicas are alive to it, itself included. */
  alive(): Promise<number>
  /** Makes it the leader, which writes, after the one before. A leadership that begins writes at once what the store lacks. */
  lead(): Promise<void>
  /** Ends it as SIGTERM does. */
  end(): Promise<void>
}

type ReplicaOptions = {
  /** Another store than the one of all. */
  readonly store?: Store
  /** Changes what its HTTP server sends as its snapshot. */
  readonly send?: (snapshot: object) => object
}

/** An operator and up to three replicas of the dispatcher in this process, on one store, and a subscriber. */
export type ReplicaSet = {
  readonly vhost: Vhost
  readonly folder: ManifestFolder
  readonly store: Store
  readonly subscriber: Subscriber
  readonly producer: Producer
  /** Starts a replica. */
  replica(how?: ReplicaOptions): Promise<Replica>
  status(name: string): Subscription['status']
  /** Waits until a condition has this status and reason. */
  condition(name: string, type: ConditionType, status: Condition['status'], reason?: string): Promise<Condition>
  close(): Promise<void>
}

/** `others` are addresses of replicas besides those that are started here. */
export const openReplicaSet = async (others: readonly string[] = []): Promise<ReplicaSet> => {
  const [vhost, folder, subscriber] = [await freshVhost(), manifestFolder(), await startSubscriber()]
  folder.write('none', '')
  const producer = await connectProducer(vhost.amqpUrl)
  const [stop, files] = [new AbortController(), new AbortController()]
  const quiet = createLog({ level: 'error', to: { write: () => {} } })
  const store = await openDirectory([folder.path], { log: quiet }, files.signal)
  const operator = startOperator({ store, instance: 'waybill', log: quiet, metrics: createMetrics() }, stop.signal)
  const addresses = await Promise.all([1, 2, 3].map(async () => `127.0.0.1:${await freePort()}`))
  const replicas: Replica[] = []
  let leader: { readonly replica: Replica; readonly end: AbortController; readonly over: Promise<void> } | undefined

  const endLeadership = async (): Promise<void> => {
    leader?.end.abort()
    await leader?.over
    leader = undefined
  }

  const replica = async ({
    store: own = store,
    send = (snapshot) => snapshot,
  }: ReplicaOptions = {}): Promise<Replica> => {
    const listen = addresses[replicas.length] ?? ''
    const [leave, close] = [new AbortController(), new AbortController()]
    const metrics = createMetrics()
    const lines: string[] = []
    const log = createLog({ level: 'debug', to: { write: (line) => void lines.push(line) } })
    let running: Running | undefined
    const snapshot = (query: URLSearchParams) => {
      const found = running?.snapshot(query)
      return found && send(found)
    }
    const routes = [pageRoutes({ [snapshotPath]: snapshot })]
    const { url } = await startServer({ listen, routes }, close.signal)
    const peers = [...addresses, ...others]
    const options = { store: own, log, metrics, allowLoopback: true, drainTimeoutMs: 2_000, peers }
    const started = startDispatcher(options, leave.signal)
    running = started
    const one: Replica = {
      url: `${url}${snapshotPath}`,
      running: started,
      logs: () => lines.join(''),
      writes: async () => (await metrics.statusWrites.get()).values[0]?.value ?? 0,
      alive: async () => (await metrics.dispatcherReplicas.get()).values[0]?.value ?? 0,
      async lead() {
        await endLeadership()
        const end = new AbortController()
        const over = started.report({ signal: end.signal, fence: () => end.signal.throwIfAborted() })
        leader = { replica: one, end, over }
      },
      async end() {
        leave.abort()
        if (leader?.replica === one) await endLeadership()
        await started.done
        close.abort()
      },
    }
    replicas.push(one)
    return one
  }

  const status = (name: string) => store.get(kind, 'shop', name)?.status
  return {
    ...{ vhost, folder, store, subscriber, producer, replica, status },
    condition: (name, type, wanted, reason) =>
      eventually(
        () => {
          const found = status(name)?.conditions?.find((each) => each.type === type)
          if (found?.status === wanted && (reason === undefined || found.reason === reason)) return found
          throw new Error(`${name} has ${JSON.stringify(status(name))}`)
        },
        { timeoutMs: 15_000 },
      ),
    async close() {
      await Promise.all(replicas.map(({ end }) => end()))
      stop.abort()
      await operator.done
      files.abort()
      await producer.close()
      await subscriber.close()
      folder.drop()
      await vhost.drop()
    },
  }
}
