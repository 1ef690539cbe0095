import type { Resource } from '../../../src/api/resource.ts'

/** What statuses must say once all is at rest. */

/** Conditions that are good when they are True; all others tell of trouble. */
const good: ReadonlySet<string> = new Set([
  ...['Accepted', 'ResolvedRefs', 'Connected', 'Programmed', 'Delivering', 'Ready'],
])

type Seen = Pick<Resource, 'kind' | 'metadata'> & { readonly status?: Resource['status'] & Counts }
/** What statuses say of how many messages there are. */
type Counts = {
  readonly backlog?: { readonly ready?: number; readonly inFlight?: number }
  readonly deadLetters?: { readonly count?: number }
  readonly deadLetterQueue?: string
  readonly unrouted?: number
  readonly orphaned?: number
}

/** What is untrue in the statuses of these resources; `holds` says how many messages a queue holds. */
export const untruths = (resources: readonly Seen[], holds: (queue: string) => number): string[] =>
  resources.flatMap((one) => [...conditionsOf(one, holds), ...countsOf(one, holds)])

const nameOf = ({ kind, metadata }: Seen): string => `${kind} ${metadata.name}`

const conditionsOf = (one: Seen, holds: (queue: string) => number): string[] => {
  const { metadata, status } = one
  const conditions = status?.conditions ?? []
  const hasLetters = holds(status?.deadLetterQueue ?? '') > 0
  return [
    ...(conditions.some(({ type }) => type === 'Ready') ? [] : [`${nameOf(one)} does not say whether it is Ready`]),
    // One is enough for the alert of a policy that says nothing else.
    ...(!hasLetters || conditions.some(({ type }) => type === 'DeadLettersPresent')
      ? []
      : [`${nameOf(one)} does not say that it has dead letters`]),
    ...conditions.flatMap(({ type, status: is, reason, observedGeneration }) => {
      if (good.has(type) !== (is === 'True') && !(type === 'DeadLettersPresent' && hasLetters))
        return [`${nameOf(one)} is ${type} ${is} at rest: ${reason}`]
      const isOld = observedGeneration !== undefined && observedGeneration !== metadata.generation
      return isOld ? [`${nameOf(one)} is ${type} for generation ${observedGeneration} of ${metadata.generation}`] : []
    }),
  ]
}

const countsOf = (one: Seen, holds: (queue: string) => number): string[] => {
  const { kind, status: { backlog, deadLetters, deadLetterQueue = '', unrouted, orphaned } = {}, metadata } = one
  const says = (what: string, count = 0, is = 0, isRounded = true): string[] =>
    count === is || (isRounded && isAbout(count, is)) ? [] : [`${nameOf(one)} counts ${count} ${what}, there are ${is}`]
  if (kind === 'Topic')
    return says('unrouted', unrouted, holds(`waybill.unrouted.${metadata.namespace}.${metadata.name}`))
  if (kind === 'Broker') return says('orphans', orphaned, holds('waybill.orphans'))
  if (kind !== 'Subscription' && kind !== 'Queue') return []
  return [
    ...says('dead letters', deadLetters?.count, holds(deadLetterQueue), false),
    ...says('messages that wait', backlog?.ready, 0),
    ...says('messages in flight', backlog?.inFlight, 0),
  ]
}

/** Rounded to two significant digits. */
const isAbout = (count: number, is: number): boolean => {
  const step = 10 ** Math.max(0, String(is).length - 2)
  return count % step === 0 && Math.abs(count - is) < step
}
