import { broker } from '../../src/api/kinds/broker.ts'
import { queue } from '../../src/api/kinds/queue.ts'
import { subscription } from '../../src/api/kinds/subscription.ts'
import { topic } from '../../src/api/kinds/topic.ts'
import { httpRecorder } from '../support/http-recorder.ts'
import { type Stage, startStage } from '../support/in-process.ts'
import { brokerOf, queueOf, subscriptionOf, topicOf } from '../support/manifests.ts'
import { connectProducer } from '../support/publish.ts'
import type { Vhost } from '../support/vhost.ts'
import { eventually } from '../support/wait.ts'

const url = 'http://127.0.0.1:9/'
let stage: Stage
beforeEach(async () => {
  stage = await startStage({ only: 'operator' })
})
afterEach(() => stage.close())

const behind = (vhost: Vhost, management_uri: string): Vhost => ({
  ...vhost,
  secret: { ...vhost.secret, management_uri },
})

test.each([500, 503, 403])('a policy that is answered %s is the trouble of its resource alone', async (status) => {
  const { folder, vhost, condition, get } = stage
  let broken = true
  const isCulprit = (method: string, path: string) =>
    broken && method === 'PUT' && path.includes('/policies/') && path.includes('culprit')
  const proxy = await httpRecorder(vhost.managementUrl, (...asked) => (isCulprit(...asked) ? status : undefined))
  folder.write('all', [
    ...brokerOf(behind(vhost, proxy.url)),
    topicOf('orders'),
    queueOf('culprit', { maxLength: 5 }),
    queueOf('innocent', { maxLength: 5 }),
    subscriptionOf('billing', 'orders', url),
  ])
  await condition(subscription, 'billing', 'Programmed', 'True')
  await condition(queue, 'innocent', 'Ready', 'True')
  await condition(broker, 'rabbitmq', 'Ready', 'True')
  const { message } = await condition(queue, 'culprit', 'Programmed', 'False', 'BrokerRefused')
  expect(message).toMatch(/^put policy \S*culprit\S*: The broker answered \d+.*: by a test/)
  // What comes later is declared too.
  folder.write('later', [topicOf('later')])
  await condition(topic, 'later', 'Ready', 'True')
  expect(get(broker, 'rabbitmq')?.status?.conditions?.find(({ type }) => type === 'Connected')?.status).toBe('True')
  broken = false
  await condition(queue, 'culprit', 'Ready', 'True')
  await proxy.close()
})

test('a Subscription that is being deleted is not Ready', async () => {
  const { folder, vhost, condition, get } = stage
  folder.write('base', [...brokerOf(vhost), topicOf('orders')])
  folder.write('mail', [subscriptionOf('mail', 'orders', url)])
  await condition(subscription, 'mail', 'Programmed', 'True')
  const producer = await connectProducer(vhost.amqpUrl)
  await producer.publish('', [{ routingKey: 'waybill.sub.shop.mail', body: 'waits' }])
  folder.delete('mail')
  const { message } = await condition(subscription, 'mail', 'Programmed', 'False', 'Deleting')
  expect(message).toMatch(/^Being deleted: /)
  await condition(subscription, 'mail', 'Ready', 'False', 'NotProgrammed')
  await producer.close()
  await eventually(() => get(subscription, 'mail') === undefined, { timeoutMs: 30_000 })
})
