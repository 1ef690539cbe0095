import { isDeepStrictEqual } from 'node:util'
import type { DeadLetterPolicy } from '../../../api/kinds/dead-letter-policy.ts'
import { queue as queueKind } from '../../../api/kinds/queue.ts'
import type { DeadLettersStatus } from '../../../api/kinds/status-dead-letters.ts'
import { subscription as subscriptionKind } from '../../../api/kinds/subscription.ts'
import { idOf } from '../../../api/resource.ts'
import { timestamp } from '../../../api/timestamp.ts'
import { type Group, Groups } from '../../../delivery/letters/groups.ts'
import { letterOf } from '../../../delivery/letters/letter.ts'
import { browse } from '../../../rabbit/amqp/holding/browse.ts'
import { mostHeld } from '../../../rabbit/amqp/holding/hold.ts'
import { readEndpoint } from '../../../rabbit/endpoint.ts'
import { readSecret } from '../../../store/read-secret.ts'
import { attachedFor } from '../../workers/attached-for.ts'
import type { LettersOptions } from '../options.ts'
import { QueueInUseError } from '../queue-in-use.ts'
import { getSource, holderOf, isQueue, type LetterSource, labelsOf } from './letter-source.ts'

type Found = Omit<DeadLettersStatus, 'count'>

const mostListed = 10
const mostTypes = 3

/**
 * Looks at all dead letters of a source and writes their groups onto it.
 *
 * @throws {QueueInUseError, EndedError, OpenError, RefusedError, EndpointError, SecretError}
 */
export const scan = async (
  source: LetterSource,
  { store, metrics, lookup }: LettersOptions,
  signal: AbortSignal,
): Promise<void> => {
  const before = getSource(store, idOf(source))
  const found = before && attachedFor(before, store)
  if (before === undefined || found === undefined) return
  const queue = before.status?.deadLetterQueue
  if (queue !== undefined && isFull(before, found.policy)) throw new QueueInUseError(queue)
  const groups = new Groups()
  const holder = holderOf(before)
  let isComplete = true
  if (queue !== undefined && before.status?.deadLetters?.count !== 0) {
    const endpoint = await readEndpoint(found.broker, (...named) => readSecret(store, ...named), lookup)
    const look = (message: Parameters<typeof letterOf>[0]): void => groups.add(letterOf(message, holder))
    const browsed = await browse(endpoint, { queue, most: mostHeld, patient: true, look }, signal)
    if (!browsed.isAlone) throw new QueueInUseError(queue)
    isComplete = browsed.isComplete
  }
  const now = getSource(store, idOf(before))
  if (now === undefined || now.metadata.uid !== before.metadata.uid) return
  if (queue === undefined) metrics.deadLettersOldest.remove(labelsOf(now))
  else metrics.deadLettersOldest.setSince(labelsOf(now), groups.oldest)
  const { count: _count, ...known } = now.status?.deadLetters ?? {}
  // A Queue that has lost its policy has no dead letters to speak of.
  const seen = queue === undefined ? {} : statusOf(groups, isComplete)
  if (isDeepStrictEqual(known, seen)) return
  const deadLetters = queue === undefined ? {} : { deadLetters: seen }
  await store.applyStatus(isQueue(now) ? queueKind : subscriptionKind, now, 'waybill-dead-letters', deadLetters)
  metrics.statusWrites.inc({ manager: 'waybill-dead-letters' })
}

/** While messages are held they do not count for the limit: a queue that is full would take more than it may. */
const isFull = ({ status }: LetterSource, policy: DeadLetterPolicy | undefined): boolean => {
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
