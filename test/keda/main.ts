/**
 * `node test/keda/main.ts FOLDER`: KEDA itself on the examples for it. FOLDER is KEDA's source, in which
 * `go build -o bin/ ./cmd/operator ./cmd/adapter` was run (about ten minutes of CPU); both run on a real API server,
 * and Prometheus scrapes a real `waybill run` with messages that wait and messages that are delayed. No controller of
 * Kubernetes runs, so there are no pods: what is looked at is what KEDA writes, and what it tells a
 * HorizontalPodAutoscaler. Takes about a minute, and ends with 1 where something is not as it should be.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { isDeepStrictEqual } from 'node:util'
import { parse, stringify } from 'yaml'
import { findBroker } from '../support/broker.ts'
import { chart } from '../support/chart.ts'
import { findAssets } from '../support/kubernetes/assets.ts'
import { command } from '../support/kubernetes/command.ts'
import { startServer } from '../support/kubernetes/server.ts'
import { subscriptionOf } from '../support/manifests.ts'
import { startPrometheus } from '../support/prometheus-server.ts'
import { openShop } from '../support/shop.ts'
import { eventually } from '../support/wait.ts'
import { startKeda } from './keda.ts'

const log = (line: string): void => console.log(`${(performance.now() / 1_000).toFixed(1).padStart(7)}  ${line}`)

const [source] = process.argv.slice(2)
if (source === undefined)
  throw new Error('node test/keda/main.ts FOLDER, which is KEDA’s source with bin/operator and bin/adapter')

/** KEDA asks every second, and takes five seconds without messages for the end of them. */
const patience = { pollingInterval: 1, cooldownPeriod: 5 }

await using closing = new AsyncDisposableStack()
const broker = await findBroker({ log })
closing.defer(broker.stop)
Object.assign(process.env, { RABBITMQ_URL: broker.amqpUrl, RABBITMQ_MANAGEMENT_URL: broker.managementUrl })
const server = closing.adopt(await startServer(await findAssets(log, process.env)), ({ stop }) => stop())
const keda = closing.adopt(await startKeda(source, server), ({ stop }) => stop())
log(`KEDA in ${source}, RabbitMQ ${broker.version}`)

const shop = closing.use(await openShop())
const subscriber = await shop.subscriber()
shop.folder.write('shop', [
  subscriptionOf('billing', 'orders', `${subscriber.url}billing`, {
    filter: { routingKeys: ['order.placed'] },
    delivery: { retry: { schedule: ['10s', '10s', '10s', '10s', '10s', '10s'] }, timeout: '60s' },
  }),
])
const waybill = await shop.run()
const prometheus = closing.adopt(await startPrometheus(waybill.server, join(chart, 'alerts.yaml')), ({ stop }) =>
  stop(),
)
await shop.ready(waybill, 'billing')

type ScaledObject = {
  readonly metadata: { readonly name: string; readonly namespace: string }
  readonly spec: { readonly triggers: readonly { readonly metadata: Readonly<Record<string, string>> }[] }
}

const kubectl = (args: readonly string[], input?: string) =>
  command(server, 'kubectl', args, input === undefined ? {} : { input })

const deployment = (namespace: string, name: string, replicas: number) => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name, namespace },
  spec: {
    replicas,
    selector: { matchLabels: { app: name } },
    template: { metadata: { labels: { app: name } }, spec: { containers: [{ name, image: name }] } },
  },
})

/** The example of that name with this Prometheus, and with these fields of its spec. */
const example = (file: string, fields: object = {}): ScaledObject => {
  const one: ScaledObject = parse(
    readFileSync(new URL(`../../examples/kubernetes/keda/${file}.yaml`, import.meta.url), 'utf8'),
  )
  const [trigger] = one.spec.triggers
  const metadata = { ...trigger?.metadata, serverAddress: prometheus.url }
  return { ...one, spec: { ...one.spec, ...patience, ...fields, triggers: [{ ...trigger, metadata }] } }
}

const apply = (...objects: readonly object[]) =>
  kubectl(['apply', '--server-side', '-f', '-'], objects.map((one) => stringify(one)).join('---\n'))

type Condition = { readonly type: string; readonly status: string; readonly reason?: string }

const get = async (namespace: string, kind: string, name: string) =>
  JSON.parse(await kubectl(['get', '-n', namespace, kind, name, '-o', 'json']))

const conditionOf = async (namespace: string, name: string, type: string): Promise<string | undefined> =>
  (await get(namespace, 'scaledobject', name)).status?.conditions?.find((one: Condition) => one.type === type)?.status

const replicasOf = async (namespace: string, name: string): Promise<number> =>
  (await get(namespace, 'deployment', name)).spec.replicas

/** Waits until it is so, and says it; says what was found instead otherwise. */
const check = async (what: string, look: () => Promise<unknown>, expected: unknown): Promise<void> => {
  let found: unknown
  const isSo = async () => {
    found = await look()
    return isDeepStrictEqual(found, expected)
  }
  await eventually(isSo, { everyMs: 250, timeoutMs: 45_000 }).catch((cause) => {
    throw new Error(`${what}: ${JSON.stringify(found)} instead of ${JSON.stringify(expected)}\n${keda.output()}`, {
      cause,
    })
  })
  log(`ok  ${what}: ${JSON.stringify(expected)}`)
}

for (const namespace of ['waybill', 'shop']) await kubectl(['create', 'namespace', namespace])
await apply(deployment('waybill', 'waybill-dispatcher', 2), deployment('shop', 'billing', 0))
await apply(example('dispatcher'), example('subscriber', { minReplicaCount: 0 }))

const hpaOf = async (namespace: string, name: string) => {
  const { scaleTargetRef, minReplicas, maxReplicas, metrics } = (await get(namespace, 'hpa', `keda-hpa-${name}`)).spec
  const [{ external } = { external: {} }] = metrics
  return [scaleTargetRef.name, minReplicas, maxReplicas, external.metric?.name, external.target]
}
for (const [namespace, name] of [
  ['waybill', 'waybill-dispatcher'],
  ['shop', 'billing'],
] as const) {
  await check(`${name} is Ready`, () => conditionOf(namespace, name, 'Ready'), 'True')
  await check(`${name} measures`, () => keda.measured(namespace, name), 0)
}
const target = (averageValue: string) => ({ type: 'AverageValue', averageValue })
await check('HorizontalPodAutoscaler of the dispatcher', () => hpaOf('waybill', 'waybill-dispatcher'), [
  'waybill-dispatcher',
  2,
  10,
  's0-prometheus',
  target('1k'),
])
await check('HorizontalPodAutoscaler of the subscriber', () => hpaOf('shop', 'billing'), [
  'billing',
  1,
  20,
  's0-prometheus',
  target('100'),
])
await check('no messages: replicas of the subscriber', () => replicasOf('shop', 'billing'), 0)

subscriber.answer(503)
await shop.publish(Array.from({ length: 7 }, () => ({})))
await check('7 delayed: the subscriber measures', () => keda.measured('shop', 'billing'), 7)
await check('7 delayed: the dispatcher measures', () => keda.measured('waybill', 'waybill-dispatcher'), 0)
await check('7 delayed: replicas of the subscriber', () => replicasOf('shop', 'billing'), 1)

// The message that says so is held, the others are refused.
const held = Promise.withResolvers<number>()
subscriber.answer(({ body }) => (body.includes('held') ? held.promise : 503))
await shop.publish(Array.from({ length: 5 }, () => ({ held: true })))
await check('5 wait, 7 are delayed: the subscriber measures', () => keda.measured('shop', 'billing'), 12)
await check('5 wait, 7 are delayed: the dispatcher measures', () => keda.measured('waybill', 'waybill-dispatcher'), 5)

subscriber.answer(204)
held.resolve(204)
await check('all are delivered: the subscriber measures', () => keda.measured('shop', 'billing'), 0)
await check('all are delivered: replicas of the subscriber', () => replicasOf('shop', 'billing'), 0)

subscriber.answer(503)
await shop.publish(Array.from({ length: 7 }, () => ({})))
await check('7 are delayed once more: replicas of the subscriber', () => replicasOf('shop', 'billing'), 1)
await kubectl(['scale', '-n', 'shop', 'deployment', 'billing', '--replicas=5'])
await waybill.stop()
await check('Prometheus lost the metrics: Fallback', () => conditionOf('shop', 'billing', 'Fallback'), 'True')
await check('Prometheus lost the metrics: what is measured for 5 replicas', () => keda.measured('shop', 'billing'), 500)
// Nothing is to happen.
await delay(3 * 1_000 * patience.cooldownPeriod)
await check('Prometheus lost the metrics: replicas of the subscriber', () => replicasOf('shop', 'billing'), 5)
