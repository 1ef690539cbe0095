import { subscription } from '../../../src/api/kinds/subscription.ts'
import { type Stage, type StageOptions, startStage } from '../../support/in-process.ts'
import { brokerOf, subscriptionOf, topicOf } from '../../support/manifests.ts'
import { connectProducer, type Producer } from '../../support/publish.ts'
import { type Subscriber, startSubscriber } from '../../support/subscriber.ts'
import { eventually } from '../../support/wait.ts'

type DeadLetters = NonNullable<NonNullable<ReturnType<typeof statusOf>>['deadLetters']>
const statusOf = (stage: Stage, name: string) => stage.get(subscription, name)?.status

/** Waybill in this process, with what tests of dead letters need. */
export type LettersStage = Omit<Stage, 'close'> & {
  readonly producer: Producer
  readonly subscriber: Subscriber
  readonly eventually: typeof eventually
  /** A Topic and a Subscription of that name, once it is Ready. */
  subscribe(name: string, spec?: object): Promise<void>
  /** Publishes messages with the bodies `0`, `1`, … */
  publish(name: string, count: number): Promise<void>
  /** A Subscription with so many dead letters; their `webhook-id`s. The subscriber answers 204 and has received nothing. */
  deadLettered(name: string, count: number, status?: number): Promise<string[]>
  /** How many messages are ready in its dead-letter queue. */
  dead(name: string): Promise<number>
  /** Waits until so many are ready; while somebody looks at them, none are. */
  holds(name: string, count: number): Promise<unknown>
  /** The status of its dead letters, once so many were seen. */
  deadLetters(name: string, scanned: number): Promise<DeadLetters>
  /** Whether a condition of it has such a message. */
  said(name: string, message: RegExp): boolean
  /** The `webhook-id`s that the subscriber received. */
  ids(): string[]
  close(): Promise<void>
}

export const lettersStage = async (options: StageOptions = {}): Promise<LettersStage> => {
  const stage = await startStage(options)
  stage.folder.write('broker', brokerOf(stage.vhost))
  const subscriber = await startSubscriber()
  const producer = await connectProducer(stage.vhost.amqpUrl)

  const dead = async (name: string): Promise<number> =>
    (await producer.channel.checkQueue(`waybill.dlq.shop.${name}`)).messageCount
  const ids = (): string[] => subscriber.received.map(({ headers }) => String(headers['webhook-id']))
  const subscribe = async (name: string, spec: object = {}): Promise<void> => {
    stage.folder.write(name, [topicOf(name), subscriptionOf(name, name, subscriber.url, spec)])
    await stage.condition(subscription, name, 'Ready', 'True')
  }
  const publish = async (name: string, count: number): Promise<void> => {
    const messages = Array.from({ length: count }, (_, index) => ({ body: `${index}` }))
    await producer.publish(`shop.${name}`, messages)
  }

  return {
    ...{ ...stage, producer, subscriber, eventually, subscribe, publish, dead, ids },
    async deadLettered(name, count, status = 400) {
      await subscribe(name, { delivery: { concurrency: 20 } })
      subscriber.answer(status)
      subscriber.received.length = 0
      await publish(name, count)
      await eventually(async () => (await dead(name)) === count, { timeoutMs: 30_000 })
      const found = ids()
      subscriber.received.length = 0
      subscriber.answer(204)
      return found
    },
    holds: (name, count) => eventually(async () => (await dead(name)) === count),
    deadLetters: (name, scanned) =>
      eventually(
        () => {
          const found = statusOf(stage, name)?.deadLetters
          if (found?.scanned === scanned) return found
          throw new Error(`It has ${JSON.stringify(found)}`)
        },
        { timeoutMs: 40_000 },
      ),
    said: (name, message) => statusOf(stage, name)?.conditions?.some((one) => message.test(one.message)) ?? false,
    async close() {
      await producer.close()
      await stage.close()
      await subscriber.close()
    },
  }
}
