import { broker } from '../../api/kinds/broker.ts'
import { queue } from '../../api/kinds/queue.ts'
import { subscription } from '../../api/kinds/subscription.ts'
import { topic } from '../../api/kinds/topic.ts'

/** What a job can take from, by what the option `--from` calls it. */
export const sources = {
  subscription: { kind: subscription, noun: 'dead letters', specOf: (name: string) => ({ subscriptionRef: { name } }) },
  queue: { kind: queue, noun: 'dead letters', specOf: (name: string) => ({ queueRef: { name } }) },
  topic: { kind: topic, noun: 'parked events', specOf: (name: string) => ({ topicRef: { name } }) },
  orphans: { kind: broker, noun: 'orphans', specOf: (name: string) => ({ orphans: { brokerRef: { name } } }) },
} as const

export type SourceName = keyof typeof sources

export const sourceNames = Object.keys(sources) as SourceName[]
