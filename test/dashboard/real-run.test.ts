import { join } from 'node:path'
import { chart } from '../support/chart.ts'
import { jobOf } from '../support/manifests.ts'
import { startPrometheus } from '../support/prometheus-server.ts'
import { eventually } from '../support/wait.ts'
import { event, openBusyShop } from './busy-shop.ts'
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

test('every panel and every ScaledObject has a valid query, and data in a run where things go well and wrong', async () => {
  await using cleanUp = new AsyncDisposableStack()
  const shop = await openBusyShop(cleanUp)
  const waybill = await shop.run()
  const prometheus = await startPrometheus(waybill.server, join(chart, 'alerts.yaml'))
  cleanUp.defer(prometheus.stop)
  await shop.ready(waybill, 'mailing')

  const { producer, folder } = shop
  const waiting = new Map([...queries, ...keda].map(({ name, expression }) => [name, expression]))
  const hasData = async (expression: string) =>
    (await prometheus.query(expression)).some(({ value }) => value[1] !== 'NaN')
  // An invalid query fails here, with Prometheus' own reason.
  await Promise.all([...waiting.values()].map(prometheus.query))
  // Something is found missing, and dead letters are taken: a Discard takes those that were there before it.
  await producer.channel.deleteQueue('shop.lost')
  await producer.publish('shop.orders', [event('order.placed')])
  await eventually(() => hasData('waybill_dead_letters{subscription="billing"} > 0'), { timeoutMs: 30_000 })
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
  await eventually(isDone, { everyMs: 300, timeoutMs: 60_000 }).catch(() => {})
  expect([...waiting.keys()].sort()).toEqual(Object.keys(without).sort())
})
