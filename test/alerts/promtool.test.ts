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

test('promtool finds nothing to complain of in the metrics of a run', async () => {
  await using cleanUp = new AsyncDisposableStack()
  const subscriber = cleanUp.adopt(await startSubscriber(), ({ close }) => close())
  const stage = cleanUp.adopt(await startStage(), ({ close }) => close())
  subscriber.answer(({ body }) => (String(body) === 'bad' ? 400 : 204))
  stage.folder.write('shop', [
    ...brokerOf(stage.vhost),
    topicOf('orders'),
    deadLetterPolicyOf('kept'),
    queueOf('jobs', { deadLetterPolicyRef: { name: 'kept' } }),
    subscriptionOf('mail', 'orders', subscriber.url),
  ])
  await stage.condition(subscription, 'mail', 'Ready', 'True')
  await publish(stage.vhost.amqpUrl, 'shop.orders', [
    { routingKey: 'a', body: '{}' },
    { routingKey: 'b', body: 'bad' },
  ])
  await eventually(async () => (await stage.metric('waybill_dead_letters')) === 1)
  const text = await stage.metrics.registry.metrics()
  expect(await promtool(['check', 'metrics'], { input: text })).toEqual({ code: 0, out: '' })
})
