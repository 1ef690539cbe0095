import { group, type Kind, type Resource } from '../resource.ts'
import { broker } from './broker.ts'
import { deadLetterPolicy } from './dead-letter-policy.ts'
import { discard } from './discard.ts'
import { queue } from './queue.ts'
import { replay } from './replay.ts'
import { subscription } from './subscription.ts'
import { topic } from './topic.ts'

/** Every kind: what watches, validates, generates or prints walks this list. */
export const kinds = [broker, topic, queue, subscription, deadLetterPolicy, replay, discard] as const

/** Those that act once: a dispatcher does the work and writes their statuses, and nothing of them is declared on a broker. */
export const jobKinds = [replay, discard] as const

export type AnyKind = (typeof kinds)[number]

/** The kind of a resource. @throws Error where it is not one of {@link kinds} */
export const kindOf = ({ kind: name }: Pick<Resource, 'kind'>): Kind => {
  const kind = kinds.find((candidate) => candidate.kind === name)
  if (kind === undefined) throw new Error(`Unknown kind ${name}`)
  return kind
}

/** Finds a kind by any of the names that kubectl accepts: Subscription, subscriptions, subscription, wbs. */
export const kindNamed = (name: string): Kind | undefined => {
  const wanted = name.toLowerCase()
  return kinds.find(({ kind, plural, singular, shortName }) =>
    [kind.toLowerCase(), plural, singular, shortName, `${plural}.${group}`, `${singular}.${group}`].includes(wanted),
  )
}
