import { queue as queueKind } from '../../src/api/kinds/queue.ts'
import { subscription } from '../../src/api/kinds/subscription.ts'
import { dialectOf } from '../../src/topology/dialect.ts'
import { type Stage, startStage } from '../support/in-process.ts'
import { brokerOf, deadLetterPolicyOf, queueOf, subscriptionOf, topicOf } from '../support/manifests.ts'
import { connectProducer, type Producer } from '../support/publish.ts'
import { type Subscriber, startSubscriber } from '../support/subscriber.ts'
import { eventually } from '../support/wait.ts'

/** Queues that Waybill delivers from and did not shape lose no message to a delivery limit. */

let stage: Stage
let producer: Producer
let subscriber: Subscriber
beforeAll(async () => {
  stage = await startStage()
  producer = await connectProducer(stage.vhost.amqpUrl)
  subscriber = await startSubscriber()
  stage.folder.write('broker', brokerOf(stage.vhost))
})
afterAll(async () => {
  await producer.close()
  await stage.close()
  await subscriber.close()
})

const pushing = (name: string, spec: object = {}) => ({
  ...subscriptionOf(name, name, subscriber.url),
  spec: { queueRef: { name }, subscriber: { url: subscriber.url }, ...spec },
})

test('no queue of ours gives up a message that is returned to it, whatever its retention', async () => {
  const retention = deadLetterPolicyOf('short', { retention: { maxLength: 100, maxAge: '1h' } })
  const kept = { deadLetterPolicyRef: { name: 'short' } }
  stage.folder.write('kept', [
    ...[retention, topicOf('kept'), subscriptionOf('kept', 'kept', subscriber.url, kept)],
    subscriptionOf('plain', 'kept', subscriber.url),
  ])
  for (const name of ['kept', 'plain']) await stage.condition(subscription, name, 'Ready', 'True')
  const { rabbitmq_version: version } = (await stage.vhost.manage('GET', '/overview')) as { rabbitmq_version: string }
  const { deliveryLimit } = dialectOf(version)
  type Found = { readonly name: string; readonly type: string; readonly effective_policy_definition?: unknown }
  const found = async (): Promise<Found[]> => {
    const all = (await stage.vhost.manage('GET', `/queues/${stage.vhost.name}`)) as Found[]
    return all.filter(({ name, type }) => name.startsWith('waybill.') && type === 'quorum')
  }
  const limitOf = ({ effective_policy_definition: inForce }: Found): unknown =>
    (inForce as Readonly<Record<string, unknown>>)?.['delivery-limit']
  await eventually(async () => {
    const limits = (await found()).map((queue) => [queue.name, limitOf(queue)])
    expect(limits).toEqual(limits.map(([name]) => [name, deliveryLimit]))
    expect(limits.map(([name]) => name)).toEqual(
      expect.arrayContaining([
        'waybill.dlq.shop.kept',
        'waybill.dlq.shop.plain',
        'waybill.sub.shop.kept',
        'waybill.orphans',
      ]),
    )
    return true
  })
})

const keptIn = (logs: string, name: string): number =>
  logs.split('\n').filter((line) => line.includes('Kept messages in their queue') && line.includes(`shop/${name}"`))
    .length

test.each([
  { name: 'unlimited', spec: {} },
  { name: 'limited', spec: { deliveryLimit: 2 } },
])('a message of a Queue that is $name survives 26 edits while its dead letter is refused', async ({ name, spec }) => {
  const retention = deadLetterPolicyOf(name, { retention: { maxLength: 1, whenFull: 'Refuse' } })
  const write = (edit: number, suspend = false) =>
    stage.folder.write(name, [
      retention,
      queueOf(name, spec),
      pushing(name, {
        suspend,
        deadLetterPolicyRef: { name },
        delivery: { retry: { maxAttempts: 1, maxAge: `${100 + edit}h` } },
      }),
    ])
  write(0)
  await stage.condition(subscription, name, 'Ready', 'True')
  // RabbitMQ takes a few more than it says before it refuses.
  const refused = () =>
    producer.publish('', [{ routingKey: `waybill.dlq.shop.${name}`, body: 'in the way' }]).then(
      () => false,
      () => true,
    )
  await eventually(refused)
  subscriber.answer(500)
  await producer.publish('', [{ routingKey: `shop.${name}`, body: 'kept' }])
  await stage.condition(subscription, name, 'RetryBlocked', 'True')
  for (let edit = 1; edit <= 26; edit += 1) {
    write(edit)
    // Each worker says it once.
    await eventually(() => keptIn(stage.logs(), name) === edit + 1)
  }
  write(27, true)
  await stage.condition(subscription, name, 'Suspended', 'True')
  // What was redelivered often is a suspect, and those are in the queue for retries.
  const kept = async () => {
    const found = [`shop.${name}`, `waybill.retry.shop.${name}`].map((queue) => producer.channel.checkQueue(queue))
    return (await Promise.all(found)).reduce((sum, { messageCount }) => sum + messageCount, 0)
  }
  await eventually(async () => (await kept()) === 1)
})

test('a queue with a delivery limit of its own is adopted, but nothing is taken from it', async () => {
  const name = 'adopted'
  await producer.channel.assertQueue(`shop.${name}`, {
    arguments: { 'x-queue-type': 'quorum', 'x-delivery-limit': 5 },
  })
  await producer.publish('', [{ routingKey: `shop.${name}`, body: 'kept' }])
  stage.folder.write(name, [queueOf(name, { adopt: true }), pushing(name)])
  await stage.condition(queueKind, name, 'Ready', 'True')
  const { message } = await stage.condition(subscription, name, 'Programmed', 'False', 'UnsafeQueue')
  expect(message).toBe(
    'queue shop.adopted gives up a message that was requeued 5 times, by its argument x-delivery-limit: declare it anew without that argument',
  )
  expect((await producer.channel.checkQueue(`shop.${name}`)).messageCount).toBe(1)
})

test('a delivery limit of an operator policy makes a queue unsafe until it is taken out', async () => {
  const name = 'governed'
  const at = `/operator-policies/${stage.vhost.name}/governed`
  const definition = { 'delivery-limit': 3 }
  await stage.vhost.manage('PUT', at, { pattern: '^shop\\.governed$', 'apply-to': 'queues', definition })
  stage.folder.write(name, [queueOf(name), pushing(name)])
  const { message } = await stage.condition(subscription, name, 'Programmed', 'False', 'UnsafeQueue')
  expect(message).toContain('by operator policy governed: take the delivery-limit out of it')
  await stage.vhost.manage('DELETE', at)
  await stage.condition(subscription, name, 'Ready', 'True')
})
