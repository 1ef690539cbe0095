import { setTimeout as delay } from 'node:timers/promises'
import type { GetMessage } from 'amqplib'
import { exchange } from '../examples/omega/demo/shop.ts'
import { connectProducer, type Outgoing, type Producer } from '../test/support/publish.ts'
import type { Cluster } from './cluster.ts'
import { forwardPorts } from './port-forward.ts'

/** Access to the shop's broker from outside the cluster, as a producer and as an administrator. */
export type BrokerAccess = {
  /** Publishes to the Topic; resolves with the ids once the broker has confirmed all of them. */
  publish(messages: readonly Outgoing[]): Promise<string[]>
  /** How many messages each queue contains, unacknowledged ones included; the numbers may be a few seconds old. */
  queues(): Promise<Readonly<Record<string, number>>>
  /** Reads the messages of a queue, and leaves them there. */
  look(queue: string): Promise<readonly GetMessage[]>
  close(): Promise<void>
}

/** A producer that gets no confirm publishes the same messages again: a killed broker may take a minute to restart. */
const publishWithinMs = 120_000

export const openBrokerAccess = async (cluster: Cluster): Promise<BrokerAccess> => {
  const { ports, close } = await forwardPorts(cluster, 'shop', 'service/rabbitmq', [5672, 15672])
  const [amqp, management] = ports
  const connect = () => connectProducer(`amqp://guest:guest@127.0.0.1:${amqp}`)
  let producer: Producer | undefined

  const publish = async (messages: readonly Outgoing[]): Promise<string[]> => {
    const deadline = performance.now() + publishWithinMs
    for (;;) {
      try {
        producer ??= await connect()
        return await producer.publish(exchange, messages)
      } catch (error) {
        producer = undefined
        if (performance.now() > deadline) throw error
        await delay(500)
      }
    }
  }
  return {
    publish,
    async queues() {
      const answer = await fetch(`http://127.0.0.1:${management}/api/queues/%2F?columns=name,messages`, {
        headers: { authorization: `Basic ${btoa('guest:guest')}` },
        signal: AbortSignal.timeout(10_000),
      })
      const listed = (await answer.json()) as { name: string; messages?: number }[]
      return Object.fromEntries(listed.map(({ name, messages = 0 }) => [name, messages]))
    },
    async look(queue) {
      const visitor = await connect()
      return visitor.look(queue).finally(visitor.close)
    },
    async close() {
      await producer?.close().catch(() => {})
      await close()
    },
  }
}
