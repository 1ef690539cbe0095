import { connectAmqp } from '../../src/rabbit/amqp/connect.ts'
import type { ConsumerState, Delivery } from '../../src/rabbit/amqp/port.ts'
import { logLines } from '../support/log-lines.ts'
import { connectProducer } from '../support/publish.ts'
import { freshVhost } from '../support/vhost.ts'
import { eventually } from '../support/wait.ts'

test('a message that takes longer than the broker allows is handed out once, acknowledged at last, and reported', async () => {
  const vhost = await freshVhost()
  const producer = await connectProducer(vhost.amqpUrl)
  const amqp = connectAmqp(vhost.endpoint, { name: 'test', log: logLines().log }, new AbortController().signal)
  const queue = 'slow'
  try {
    const { rabbitmq_version: version } = (await vhost.manage('GET', '/overview')) as { rabbitmq_version: string }
    // Others look once a minute, and close the channel.
    if (!/^4\.([3-9]|\d\d)/.test(version)) return
    await producer.channel.assertQueue(queue, {
      arguments: { 'x-queue-type': 'quorum', 'x-consumer-timeout': 5_000 },
    })
    await producer.publish('', [{ routingKey: queue, body: 'one' }])
    const deliveries: Delivery[] = []
    const states: ConsumerState[] = []
    amqp.consume({
      ...{ queue, prefetch: 10 },
      onDelivery: (delivery) => deliveries.push(delivery),
      onState: (state) => states.push(state),
    })
    await eventually(() => states.at(-1)?.reason?.includes('consumer timeout') === true)
    // It comes again, in place of what the broker took back.
    await eventually(() => states.at(-1)?.is === 'consuming')
    await eventually(() => deliveries.every((delivery) => !delivery.lost))
    deliveries[0]!.acknowledge()
    await producer.publish('', [{ routingKey: queue, body: 'two' }])
    await eventually(() => deliveries.length === 2)
    expect(deliveries[1]!.message.content.toString()).toBe('two')
    deliveries[1]!.acknowledge()
    await amqp.close()
    expect((await producer.channel.checkQueue(queue)).messageCount).toBe(0)
  } finally {
    await amqp.close()
    await producer.close()
    await vhost.drop()
  }
})
