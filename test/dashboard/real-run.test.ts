import { join } from 'node:path'
import { chart } from '../support/chart.ts'
import { jobOf, queueOf, subscriptionOf } from '../support/manifests.ts'
import { startPrometheus } from '../support/prometheus-server.ts'
import { openShop } from '../support/shop.ts'
import { eventually } from '../support/wait.ts'
import { queries } from './panels.ts'
import { keda } from './scaled-objects.ts'

/** Queries that have no data in this run, and why. */
const without: Readonly<Record<string, string>> = {
  'The operator and the process / Unexpected errors A': 'the operator meets none',
  'The operator and the process / Requests to the API server A': 'there is no Kubernetes',
  'The operator and the process / Lists and ends of watches A': 'there is no Kubernetes',
  'The operator and the process / Lists and ends of watches B': 'there is no Kubernetes',
  'The operator and the process / Since a watch received something A': 'there is no Kubernetes',
}

/** A shop in which mailing succeeds, billing is refused for good and shipping is tried again much later. */
const busyShop = async (cleanUp: AsyncDisposableStack) => {
  const shop = cleanUp.use(await openShop())
  const subscriber = await shop.subscriber()
  subscriber.answer(({ path }) => ({ '/billing': 400, '/shipping': 503 })[path] ?? 204)
  const filter = { routingKeys: ['order.placed'] }
  const retry = { schedule: ['10m'] }
  const of = (name: string, spec: object = {}) =>
    subscriptionOf(name, 'orders', `${subscriber.url}${name}`, { filter, ...spec })
  shop.folder.write('shop', [
    ...[of('mailing'), of('billing'), of('shipping', { delivery: { retry } })],
    ...[queueOf('work'), queueOf('lost')],
  ])
  return shop
}

test('every panel and every ScaledObject has a valid query, and data in a run where things go well and wrong', async () => {
  await using cleanUp = new AsyncDisposableStack()
  const shop = await busyShop(cleanUp)
  const waybill = await shop.run()
  const prometheus = await startPrometheus(waybill.server, join(chart, 'alerts.yaml'))
  cleanUp.defer(prometheus.stop)
  await shop.ready(waybill, 'mailing')

  const { producer, folder } = shop
  const waiting = new Map([...queries, ...keda].map(({ name, expression }) => [name, expression]))
  const hasData = async (expression: string) =>
    (await prometheus.query(expression)).some(({ value }) => value[1] !== 'NaN')
  const event = (routingKey: string) => ({
    routingKey,
    body: {},
    options: { timestamp: Math.floor(Date.now() / 1000) },
  })
  // An invalid query fails here, with Prometheus' own reason.
  await Promise.all([...waiting.values()].map(prometheus.query))
  // Something is found missing, and dead letters are taken.
  await producer.channel.deleteQueue('shop.lost')
  folder.write('job', [jobOf('Discard', 'billing', { reason: 'of a test' })])
  const look = async ([name, expression]: [string, string]) => {
    if (await hasData(expression)) waiting.delete(name)
  }
  const isDone = async () => {
    await producer.publish('shop.orders', [event('order.placed'), event('order.unknown')])
    await Promise.all([...waiting].map(look))
    return [...waiting.keys()].every((name) => name in without)
  }
  // What has no data in the end is in the message of the failure.
  await eventually(isDone, { everyMs: 300 }).catch(() => {})
  expect([...waiting.keys()].sort()).toEqual(Object.keys(without).sort())
})
