import { queue } from '../../src/api/kinds/queue.ts'
import { subscription } from '../../src/api/kinds/subscription.ts'
import { topic } from '../../src/api/kinds/topic.ts'
import { startStage } from '../support/in-process.ts'
import { brokerOf, queueOf, subscriptionOf, topicOf } from '../support/manifests.ts'
import { connectProducer } from '../support/publish.ts'
import { startSubscriber } from '../support/subscriber.ts'
import { eventually } from '../support/wait.ts'

test('a user with the least rights does for the whole life of all resources', async () => {
  await using cleanUp = new AsyncDisposableStack()
  const stage = cleanUp.adopt(await startStage(), ({ close }) => close())
  const subscriber = cleanUp.adopt(await startSubscriber(), ({ close }) => close())
  const { vhost, folder, condition, get } = stage
  const username = `${vhost.name}-user`
  await vhost.manage('PUT', `/users/${username}`, { password: 'secret', tags: 'policymaker' })
  cleanUp.defer(async () => void (await vhost.manage('DELETE', `/users/${username}`)))
  await vhost.manage('PUT', `/permissions/${vhost.name}/${username}`, {
    configure: '^(waybill|shop)\\.',
    write: '^(amq\\.default$|(waybill|shop)\\.)',
    read: '^(waybill|shop)\\.',
  })
  const address = new URL(vhost.secret.connection_string)
  Object.assign(address, { username, password: 'secret', pathname: encodeURIComponent(vhost.name) })
  const limited = { ...vhost, secret: { ...vhost.secret, connection_string: address.href } }
  // The virtual host is the one in the connection string.
  folder.write('base', brokerOf(limited, { vhost: undefined }))
  folder.write('all', [
    topicOf('orders', { deletionPolicy: 'Delete' }),
    queueOf('work', { maxLength: 5, deletionPolicy: 'Delete' }),
    subscriptionOf('billing', 'orders', subscriber.url, { delivery: { retry: { schedule: ['100ms'] } } }),
  ])
  await condition(subscription, 'billing', 'Ready', 'True')
  await condition(queue, 'work', 'Ready', 'True')

  const producer = cleanUp.adopt(await connectProducer(vhost.amqpUrl), ({ close }) => close())
  subscriber.answer(503)
  await producer.publish('shop.orders', [{ routingKey: 'order.created', body: '{}' }])
  await eventually(async () => (await producer.look('waybill.dlq.shop.billing')).length === 1, { timeoutMs: 30_000 })
  expect(subscriber.received.length).toBeGreaterThan(1)

  folder.delete('all')
  for (const [kind, name] of [
    [subscription, 'billing'],
    [queue, 'work'],
    [topic, 'orders'],
  ] as const) {
    await eventually(() => get(kind, name) === undefined, { timeoutMs: 60_000 })
  }
})
