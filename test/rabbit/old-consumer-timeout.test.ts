import { connectAmqp } from '../../src/rabbit/amqp/connect.ts'
import type { ConsumerState, Delivery } from '../../src/rabbit/amqp/port.ts'
import { logLines } from '../support/log-lines.ts'
import { privateNode } from '../support/private-node.ts'
import { connectProducer } from '../support/publish.ts'
import { freshVhost } from '../support/vhost.ts'
import { eventually } from '../support/wait.ts'

// It looks once a minute otherwise.
const { testWithNode } = privateNode({ consumer_timeout: 3_000, channel_tick_interval: 1_000 })

testWithNode(
  'a message that takes longer than a broker before 4.3 allows, which closes the channel, is handed out once and acknowledged at last',
  async () => {
    const vhost = await freshVhost()
    const producer = await connectProducer(vhost.amqpUrl)
    const { log } = logLines()
    const states: ConsumerState[] = []
    const amqp = connectAmqp(vhost.endpoint, { name: 'test', log }, new AbortController().signal)
    const consume = async (queue: string, onDelivery: (delivery: Delivery) => void) => {
      await producer.channel.assertQueue(queue, { arguments: { 'x-queue-type': 'quorum' } })
      const deliveries: Delivery[] = []
      amqp.consume({
        ...{ queue, prefetch: 10 },
        onDelivery: (delivery) => {
          deliveries.push(delivery)
          onDelivery(delivery)
        },
        onState: (state) => states.push(state),
      })
      return deliveries
    }
    try {
      const slow = await consume('slow', () => undefined)
      const other = await consume('other', (delivery) => delivery.acknowledge())
      await producer.publish('', [{ routingKey: 'slow', body: 'one' }])
      await eventually(() => slow.length === 1)
      await eventually(() => slow[0]!.lost, { timeoutMs: 20_000, everyMs: 1 })
      await eventually(() => states.some(({ reason }) => reason?.includes('consumer timeout')))
      // It comes again, in place of what the broker took back.
      await eventually(() => !slow[0]!.lost)
      slow[0]!.acknowledge()
      await producer.publish('', [
        { routingKey: 'slow', body: 'two' },
        { routingKey: 'other', body: 'three' },
      ])
      await eventually(() => slow.length === 2 && other.length === 1)
      expect(slow[1]!.message.content.toString()).toBe('two')
      slow[1]!.acknowledge()
      await amqp.close()
      expect((await producer.channel.checkQueue('slow')).messageCount).toBe(0)
    } finally {
      await amqp.close()
      await producer.close()
      await vhost.drop()
    }
  },
)
