import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { subscription } from '../../src/api/kinds/subscription.ts'
import { chart } from '../support/chart.ts'
import { startStage } from '../support/in-process.ts'
import { brokerOf, deadLetterPolicyOf, queueOf, subscriptionOf, topicOf } from '../support/manifests.ts'
import { promtool } from '../support/prometheus.ts'
import { publish } from '../support/publish.ts'
import { startSubscriber } from '../support/subscriber.ts'
import { eventually } from '../support/wait.ts'

test('promtool accepts the rules of the chart', async () => {
  const files = { 'alerts.yaml': readFileSync(join(chart, 'alerts.yaml'), 'utf8') }
  const { code, out } = await promtool(['check', 'rules', 'alerts.yaml'], { files })
  expect([code, out]).toEqual([0, expect.stringContaining('SUCCESS')])
})

/** The value of the one series with these labels. */
const reading = (text: string, name: string, labels = ''): number | undefined => {
  const line = text.split('\n').find((each) => each.startsWith(name) && each.includes(labels))
  return line === undefined ? undefined : Number(line.split(' ').at(-1))
}

test('a run has metrics of what it did, and promtool finds nothing to complain of in them', async () => {
  await using cleanUp = new AsyncDisposableStack()
  const subscriber = cleanUp.adopt(await startSubscriber(), ({ close }) => close())
  const stage = cleanUp.adopt(await startStage(), ({ close }) => close())
  const { vhost, folder, metrics } = stage
  subscriber.answer(({ body }) => {
    if (String(body) === 'late') return 'hang'
    return String(body) === 'bad' ? 400 : String(body) === 'again' ? 503 : 204
  })
  folder.write('shop', [
    ...brokerOf(vhost),
    topicOf('orders'),
    deadLetterPolicyOf('kept'),
    queueOf('jobs', { deadLetterPolicyRef: { name: 'kept' } }),
    subscriptionOf('mail', 'orders', subscriber.url, { filter: { routingKeys: ['a'] } }),
  ])
  await stage.condition(subscription, 'mail', 'Delivering', 'True')
  const timestamp = Math.floor(Date.now() / 1000) - 100
  const to = (routingKey: string, body: string) => ({ routingKey, body, options: { timestamp } })
  await publish(vhost.amqpUrl, 'shop.orders', [to('b', '{}'), to('a', '{}'), to('a', 'bad'), to('a', 'again')])
  await publish(vhost.amqpUrl, 'shop.orders', [to('a', 'late')])
  await publish(vhost.amqpUrl, '', [to('shop.jobs', '{}')])
  const of = 'namespace="shop",subscription="mail"'
  const text = await eventually(async () => {
    const now = await metrics.registry.metrics()
    const seen = [
      reading(now, 'waybill_dead_letters{'),
      reading(now, 'waybill_topic_unrouted_messages', 'topic="orders"'),
      reading(now, 'waybill_queue_backlog', 'queue="jobs",state="ready"'),
      reading(now, 'waybill_subscription_delayed_messages', of),
      reading(now, 'waybill_subscription_in_flight', of),
    ]
    return seen.every((value) => value === 1) ? now : undefined
  })
  const value = (name: string, labels = '') => reading(text, `waybill_${name}`, labels)
  expect(value('publication_to_delivery_seconds_bucket', 'le="30"')).toBe(0)
  expect(value('publication_to_delivery_seconds_count', of)).toBe(1)
  expect(value('delivery_failures_total', 'reason="StatusCode"')).toBeGreaterThanOrEqual(2)
  expect(value('delivery_last_success_timestamp_seconds', of)).toBeGreaterThan(timestamp)
  expect(value('subscription_oldest_message_age_seconds', of)).toBeGreaterThanOrEqual(100)
  expect(value('subscription_concurrency', of)).toBeGreaterThan(1)
  expect(value('subscription_retry_blocked', of)).toBe(0)
  expect(value('broker_orphaned_messages')).toBe(0)
  expect(value('broker_retained_objects')).toBe(0)
  expect(await promtool(['check', 'metrics'], { input: text })).toEqual({ code: 0, out: '' })

  folder.write('shop', brokerOf(vhost))
  await eventually(async () => (await stage.metric('waybill_broker_retained_objects')) > 0)
  await eventually(async () => !/(subscription="mail"|topic="orders")/.test(await metrics.registry.metrics()))
})
