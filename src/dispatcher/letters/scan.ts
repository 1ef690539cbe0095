import { isDeepStrictEqual } from 'node:util'
import type { DeadLetterPolicy } from '../../api/kinds/dead-letter-policy.ts'
import { subscription as kind, type Subscription } from '../../api/kinds/subscription.ts'
import { keyOf } from '../../api/resource.ts'
import { timestamp } from '../../api/timestamp.ts'
import { type Group, Groups } from '../../delivery/letters/groups.ts'
import { letterOf } from '../../delivery/letters/letter.ts'
import { browse } from '../../rabbit/amqp/holding/browse.ts'
import { mostHeld } from '../../rabbit/amqp/holding/hold.ts'
import { readEndpoint } from '../../rabbit/endpoint.ts'
import { readSecret } from '../../store/read-secret.ts'
import type { LettersOptions } from './options.ts'
import { QueueInUseError } from './queue-in-use.ts'
import { attachedFor } from './route-for.ts'

type Status = NonNullable<NonNullable<Subscription['status']>['deadLetters']>
type Found = Omit<Status, 'count'>

const mostListed = 10
const mostTypes = 3

/**
 * Looks at all dead letters of a Subscription and writes their groups onto it.
 *
 * @throws {QueueInUseError, EndedError, OpenError, RefusedError, EndpointError, SecretError}
 */
export const scan = async (
  { metadata: { namespace, name } }: Subscription,
  { store, metrics, lookup }: LettersOptions,
  signal: AbortSignal,
): Promise<void> => {
  const before = store.get(kind, namespace, name)
  const queue = before?.status?.deadLetterQueue
  const found = before && attachedFor(before, store)
  if (before === undefined || queue === undefined || found === undefined) return
  if (isFull(before, found.policy)) throw new QueueInUseError(queue)
  const groups = new Groups()
  const id = keyOf(before)
  let isComplete = true
  if (before.status?.deadLetters?.count !== 0) {
    const endpoint = await readEndpoint(found.broker, (...named) => readSecret(store, ...named), lookup)
    const look = (message: Parameters<typeof letterOf>[0]): void => groups.add(letterOf(message, id))
    const browsed = await browse(endpoint, { queue, most: mostHeld, look }, signal)
    if (!browsed.isAlone) throw new QueueInUseError(queue)
    isComplete = browsed.isComplete
  }
  const now = store.get(kind, namespace, name)
  if (now === undefined || now.metadata.uid !== before.metadata.uid) return
  metrics.deadLettersOldest.setSince({ namespace, subscription: name }, groups.oldest)
  const seen = statusOf(groups, isComplete)
  const { count: _count, ...known } = now.status?.deadLetters ?? {}
  if (isDeepStrictEqual(known, seen)) return
  await store.applyStatus(kind, now, 'waybill-dead-letters', { deadLetters: seen })
  metrics.statusWrites.inc({ manager: 'waybill-dead-letters' })
}

/** While messages are held they do not count for the limit: a queue that is full would take more than it may. */
const isFull = ({ status }: Subscription, policy: DeadLetterPolicy | undefined): boolean => {
  const { maxLength, whenFull } = policy?.spec.retention ?? {}
  return maxLength !== undefined && whenFull === 'Refuse' && (status?.deadLetters?.count ?? 0) >= maxLength
}

/** The groups as the status lists them. */
const statusOf = (groups: Groups, isComplete: boolean): Found => {
  const all = groups.largest()
  const listed = all.slice(0, mostListed)
  const inListed = listed.reduce((sum, { count }) => sum + count, 0)
  return {
    ...(groups.oldest === undefined ? {} : { oldest: timestamp(groups.oldest) }),
    complete: isComplete,
    scanned: groups.count,
    groups: listed.map(listedAs),
    others: groups.count - inListed,
  }
}

const listedAs = ({
  group,
  reason,
  statusCode,
  problem,
  error,
  count,
  replayed,
  first,
  last,
  types,
  samples,
}: Group) => ({
  ...{ group, reason, count, replayed },
  ...(statusCode === undefined ? {} : { statusCode }),
  ...(problem === undefined ? {} : { problem: problem.toWellFormed() }),
  error: error.slice(0, 256).toWellFormed(),
  ...(first === undefined ? {} : { first: timestamp(first) }),
  ...(last === undefined ? {} : { last: timestamp(last) }),
  types: [...types]
    .sort(([, a], [, b]) => b - a)
    .slice(0, mostTypes)
    .map(([type]) => type.toWellFormed()),
  samples: [...samples],
})
