import { fileURLToPath } from 'node:url'
import { apiVersion } from '../../src/api/resource.ts'
import { brokerOf, subscriptionOf, topicOf } from '../../test/support/manifests.ts'
import type { Vhost } from '../../test/support/vhost.ts'
import { eventually } from '../../test/support/wait.ts'
import { type Setting, say } from '../setting.ts'
import { type BrokerCalls, brokerCalls } from './broker-calls.ts'
import { bundle } from './bundle.ts'
import { type Cluster, onFreshCluster } from './cluster.ts'
import { type Memories, type Pair, startPair } from './pair.ts'
import { untilReady } from './readiness.ts'
import { type Rest, rest } from './rest.ts'
import { waitFor } from './wait-for.ts'

const crds = fileURLToPath(new URL('../../crds', import.meta.url))
const base = `/apis/${apiVersion}/namespaces/shop`
const secrets = '/api/v1/namespaces/shop/secrets'
const subscriptions = `${base}/subscriptions`
const limitMs = 300_000

export type WaybillFigures = {
  /** From the start of both processes until all are Ready, with an empty broker; and the memory at that time. */
  readonly coldSeconds: number
  readonly coldMemory: Memories
  /** From the creation of one more until it is Ready. */
  readonly oneMoreSeconds: number
  /** From a restart of both processes, with everything Ready, until the operator has compared it with the broker. */
  readonly warmSeconds: number
  /** The writes without work after the restart; and the memory at the end of it. */
  readonly rest: Rest
  readonly restMemory: Memories
  /** From the start of kubectl, which deletes all Subscriptions, until they are removed. */
  readonly goneSeconds: number
}

type Stage = Setting & {
  readonly cluster: Cluster
  readonly count: number
  /** Stops both processes if they are running, and starts them again. */
  start(): Promise<Pair>
}

/** Operator and dispatcher, with `count` Subscriptions to one Topic. */
export const waybill = async (count: number, restMs: number, setting: Setting): Promise<WaybillFigures> => {
  const main = await bundle(setting.signal)
  return setting.onFreshVhost((vhost, folder) =>
    onFreshCluster(async (cluster) => {
      const calls = await brokerCalls(vhost)
      let running: Pair | undefined
      const start = async () => {
        await running?.stop()
        running = await startPair(main, cluster.kubeconfig, folder)
        return running
      }
      const stage = { ...setting, cluster, count, start }
      try {
        await createAll(stage, vhost)
        const cold = await becomeReady(stage)
        const oneMoreSeconds = await addOne(stage)
        const { warmSeconds, programs, memory } = await startAgain(stage, calls)
        const found = await rest(cluster, calls, restMs, setting.signal)
        const restMemory = memory()
        const goneSeconds = await deleteAll(stage, programs)
        return { ...cold, oneMoreSeconds, warmSeconds, rest: found, restMemory, goneSeconds }
      } finally {
        await running?.stop()
        await calls.close()
      }
    }),
  )
}

const manifest = (number: number, url: string) =>
  subscriptionOf(`subscription-${number}`, 'orders', url, { filter: { routingKeys: [`order.${number}`] } })

const createAll = async ({ cluster, count, sink }: Stage, vhost: Vhost): Promise<void> => {
  const [secret, broker] = brokerOf(vhost, { resyncInterval: '60s' })
  if (!secret || !broker) throw new Error('brokerOf must return a Secret and a Broker')
  await cluster.install(crds, [`${base}/brokers`, `${base}/topics`, subscriptions])
  await cluster.create(secrets, [secret])
  await cluster.create(`${base}/brokers`, [broker])
  await cluster.create(`${base}/topics`, [topicOf('orders')])
  await cluster.create(
    subscriptions,
    Array.from({ length: count }, (_, number) => manifest(number, sink.url)),
  )
}

const becomeReady = async ({ cluster, count, start, signal }: Stage) => {
  const { done, progress } = await untilReady(cluster, [subscriptions], count, signal)
  const elapsed = stopwatch()
  const { programs, memory } = await start()
  await waitFor(done, { programs, limitMs, progress, signal })
  const coldSeconds = elapsed()
  say(`  ${coldSeconds.toFixed(1)} s until ${count} Subscriptions are Ready`)
  return { coldSeconds, coldMemory: memory() }
}

const addOne = async ({ cluster, count, sink, signal }: Stage): Promise<number> => {
  const { done } = await untilReady(cluster, [subscriptions], count + 1, signal)
  const elapsed = stopwatch()
  await cluster.create(subscriptions, [manifest(count, sink.url)])
  await done
  const seconds = elapsed()
  say(`  ${seconds.toFixed(2)} s until one more Subscription is Ready`)
  return seconds
}

/** Restarts both processes so that they connect through the proxy that records their calls to the broker. */
const startAgain = async ({ cluster, start, signal }: Stage, calls: BrokerCalls) => {
  await cluster.patch(`${secrets}/rabbitmq`, { stringData: calls.secret })
  const { programs, memory, reconciles } = await start()
  const elapsed = stopwatch()
  const compared = eventually(async () => (await reconciles()) > 0, { timeoutMs: limitMs, everyMs: 20 })
  await waitFor(compared, { programs, limitMs, progress: () => 'the operator has not finished a reconcile', signal })
  const warmSeconds = elapsed()
  say(`  ${warmSeconds.toFixed(1)} s from a restart until everything was compared with the broker`)
  return { warmSeconds, programs, memory }
}

const deleteAll = async ({ cluster, signal }: Stage, programs: Pair['programs']): Promise<number> => {
  const elapsed = stopwatch()
  await waitFor(cluster.deleteAll(subscriptions), {
    programs,
    limitMs,
    progress: () => 'some Subscriptions are not deleted yet',
    signal,
  })
  const seconds = elapsed()
  say(`  ${seconds.toFixed(1)} s until all Subscriptions are deleted`)
  return seconds
}

const stopwatch = () => {
  const begunMs = performance.now()
  return () => (performance.now() - begunMs) / 1000
}
