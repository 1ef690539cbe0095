import { timestamp } from '../../api/timestamp.ts'
import type { AmqpState, ConsumerState, Unreadable } from '../../rabbit/amqp/port.ts'
import type { Waiting, WorkerState } from '../replicas/snapshot.ts'

/** A consumer that starts within this time is not reported as missing. */
const graceMs = 3_000

/** What happens to a worker, collected to the state that is reported of it. */
export const trackState = (generation: number) => {
  let consumer: ConsumerState = { is: 'waiting', reason: 'Not connected yet' }
  let broker: AmqpState = { consuming: 'down', publishing: 'down' }
  let blocked: string | undefined
  let gone = false
  let missing: string | undefined
  let graceUntil = Date.now() + graceMs

  const waiting = (): Waiting | undefined => {
    // A paused consumer is not a fault: its owner reports why it is paused.
    if (consumer.is !== 'waiting') return undefined
    if (broker.consuming === 'up') return { reason: 'NoConsumer', message: consumer.reason }
    return { reason: 'BrokerUnreachable', message: `No AMQP connection: ${broker.reason ?? consumer.reason}` }
  }

  return {
    consumer(state: ConsumerState): void {
      consumer = state
      if (state.is === 'consuming') graceUntil = 0
    },
    broker(state: AmqpState): void {
      broker = state
    },
    /** Copies are not confirmed, for this reason; `undefined` when none waits any more. */
    blocked(reason: string | undefined): void {
      blocked = reason
    },
    isBlocked: (): boolean => blocked !== undefined,
    isConsuming: (): boolean => consumer.is === 'consuming',
    isUnreadable: (): boolean => consumer.unreadable !== undefined,
    /** The Service of the subscriber has no address, as this says; `undefined` when it has one. */
    missing(text: string | undefined): void {
      missing = text
    },
    /** The subscriber answered 410. */
    gone(): void {
      gone = true
    },
    current: (): WorkerState => ({
      ...{ generation, starting: Date.now() < graceUntil, waiting: waiting(), blocked, gone, missing },
      unreadable: consumer.unreadable && unreadableText(consumer.unreadable),
    }),
  }
}

const unreadableText = ({ queue, since, cause, againAt }: Unreadable): string =>
  `A message in queue ${JSON.stringify(queue)} ends the connection on which it is delivered, since ${timestamp(since)}: ${cause}. ` +
  'On RabbitMQ 4 this is mostly a message from an AMQP 1.0 producer with an application property of a type that AMQP 0-9-1 ' +
  'does not have, such as uuid or char. Take it out with an AMQP 1.0 client, move the messages with a shovel, or purge the ' +
  `queue. All messages stay in it; they are tried again one by one: ${timestamp(againAt)}`

export type TrackedState = ReturnType<typeof trackState>
