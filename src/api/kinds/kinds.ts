import type { Kind, Resource } from '../resource.ts'
import { broker } from './broker.ts'
import { deadLetterPolicy } from './dead-letter-policy.ts'
import { queue } from './queue.ts'
import { subscription } from './subscription.ts'
import { topic } from './topic.ts'

/** Every kind: what watches, validates, generates or prints walks this list. */
export const kinds = [broker, topic, queue, subscription, deadLetterPolicy] as const

export type AnyKind = (typeof kinds)[number]

/** Finds a kind by any of the names that kubectl takes: Subscription, subscriptions, subscription, wbs. */
export const kindNamed = (name: string): Kind | undefined => {
  const wanted = name.toLowerCase()
  return kinds.find(({ kind, plural, singular, shortName }) =>
    [kind.toLowerCase(), plural, singular, shortName, `${plural}.waybill.dev`, `${singular}.waybill.dev`].includes(
      wanted,
    ),
  )
}

/** The kind of a resource. @throws Error for one of no kind of ours, which is a fault of the program */
export const kindOf = (resource: Resource): Kind => {
  const kind = kinds.find((candidate) => candidate.kind === resource.kind)
  if (kind === undefined) throw new Error(`Unknown kind ${resource.kind}`)
  return kind
}
