import type { Finding } from './check.ts'
import { finding } from './fates.ts'
import type { Requested } from './history.ts'
import {
  begunAt,
  deliveredAt,
  disturbing,
  isSuccess,
  type Journey,
  type Journeys,
  settlingMs,
  shaking,
  type Try,
} from './journeys.ts'

/** Rules about what comes again, and about what tells messages apart. */

/** The clock of the recorder is read a little late at both ends. */
export const toleranceMs = 100

/** Requests beyond the first of each attempt, and all that began after a 2xx. */
export const repeatsOf = (journey: Journey): number => {
  const at = deliveredAt(journey) ?? Number.POSITIVE_INFINITY
  const seen = new Set<number>()
  let repeats = 0
  for (const { request } of journey.tries) {
    if (seen.has(request.attempt) || request.at > at + toleranceMs) repeats += 1
    seen.add(request.attempt)
  }
  return repeats
}

/**
 * A disturbance makes the messages that are in hand come again: at most once each, and for one subscription at most twice its
 * concurrency, because as many may be answered whose acknowledgement is on its way. A message that came again because of a copy
 * that was stored twice goes through all its attempts twice.
 */
export const doubled = (journeys: Journeys): Finding[] => {
  const sums = new Map<string, { readonly journey: Journey; repeated: number }>()
  const found = journeys.all.flatMap((journey) => {
    const repeats = repeatsOf(journey)
    if (repeats === 0) return []
    const { terms, tries, id } = journey
    const [first, last] = [tries[0] as Try, tries.at(-1) as Try]
    // Of attempts that were not seen a second copy may have been stored as well.
    const since = first.request.attempt === 1 ? first.request.at : begunAt(journey)
    const causes = shaking(journeys, journey, since - settlingMs, last.request.at)
    const sum = sums.get(terms.subscription) ?? { journey, repeated: 0 }
    sum.repeated += 1
    sums.set(terms.subscription, sum)
    const alone = unexplained(journeys, journey)
    if (repeats <= causes.length * terms.maxAttempts) {
      if (alone === undefined) return []
      const text = `${id} came again with attempt ${alone.attempt} at ${alone.at}, and nothing disturbed it since the one before`
      return [finding(journey, 'doubled', text)]
    }
    const excuse = causes.length === 0 ? 'nothing disturbed it' : `only ${causes.map(({ what }) => what).join(', ')}`
    return [finding(journey, 'doubled', `${id} was delivered ${repeats} times too often, and ${excuse}`)]
  })
  const perSubscription = [...sums].flatMap(([subscription, { journey, repeated }]): Finding[] => {
    const times = shaking(journeys, journey, Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY).length
    const most = times * 2 * journey.terms.concurrency
    const text = `${subscription}: ${repeated} messages were delivered again, ${most} at most by ${times} disturbances`
    return repeated > most && times > 0 ? [{ fault: 'doubled', id: '', subscription, text }] : []
  })
  return [...found, ...perSubscription, ...copies(journeys)]
}

/**
 * The first request that came again although nothing disturbed the message since what came before: since the attempt before it
 * was settled, or since the 2xx. Where that had come twice too, or was not seen, a second copy goes its way.
 */
const unexplained = (journeys: Journeys, journey: Journey): Requested | undefined => {
  const requests = journey.tries.map(({ request }) => request)
  const begun = begunAt(journey)
  const success = journey.tries.find(({ answer }) => isSuccess(answer))
  const counts = new Map<number, number>([[0, 1]])
  let isCopied = false
  for (const request of requests) {
    const { attempt, at } = request
    const count = (counts.get(attempt) ?? 0) + 1
    counts.set(attempt, count)
    const before = counts.get(attempt - 1) ?? 0
    const isAfter = success?.answer !== undefined && at > success.answer.at + toleranceMs
    if (count > Math.max(before, 1) || (isAfter && !isCopied && count === 1 && before > 0)) {
      const since = isAfter && count === 1 ? success.request : requests.find((one) => one.attempt === attempt - 1)
      if (shaking(journeys, journey, (since?.at ?? begun) - settlingMs, at).length === 0) return request
    }
    isCopied ||= count > 1 || before === 0
  }
  return undefined
}

/** A disturbance may have a copy stored twice, and each of those again. */
const copies = (journeys: Journeys): Finding[] => {
  const parked = new Map<string, number>()
  for (const { id, role } of journeys.elsewhere) if (role === 'unrouted') parked.set(id, (parked.get(id) ?? 0) + 1)
  const text = (id: string, count: number) => `${id} is in queues ${count} times`
  return [
    ...journeys.all.flatMap((journey) => {
      const { found, id } = journey
      if (found.length < 2) return []
      const times = shaking(journeys, journey, begunAt(journey), Number.POSITIVE_INFINITY).length
      return found.length > 1 + 3 * times ? [finding(journey, 'doubled', text(id, found.length))] : []
    }),
    ...[...parked].flatMap(([id, count]): Finding[] =>
      count > 1 ? [{ fault: 'doubled', id, text: text(id, count) }] : [],
    ),
  ]
}

/** A message has one `webhook-id`, from its first attempt to the last, and no other message has it. */
export const misidentified = ({ all }: Journeys): Finding[] => {
  const owners = new Map<string, Journey>()
  return all.flatMap((journey) => {
    const { terms, tries, id } = journey
    const ids = new Set(tries.map(({ request }) => request.webhookId))
    if (ids.size > 1) return [finding(journey, 'misidentified', `${id} came with ${ids.size} different webhook-ids`)]
    const [webhookId] = ids
    if (webhookId === undefined) return []
    if (webhookId === '') return [finding(journey, 'misidentified', `${id} came without a webhook-id`)]
    const key = `${terms.subscription} ${webhookId}`
    const owner = owners.get(key)
    owners.set(key, journey)
    return owner ? [finding(journey, 'misidentified', `${id} came with the webhook-id of ${owner.id}`)] : []
  })
}

/** First attempts come in the order of publication, where nothing disturbed the messages between. */
export const unordered = (journeys: Journeys): Finding[] => {
  const latest = new Map<string, Journey>()
  const firsts = journeys.all
    .filter(({ terms, tries, message }) => terms.isOrdered && message && tries[0]?.request.attempt === 1)
    .toSorted((a, b) => at(a) - at(b))
  return firsts.flatMap((journey) => {
    const { terms, id, message } = journey
    const before = latest.get(terms.subscription)
    if (before === undefined || (before.message?.at ?? 0) <= (message?.at ?? 0)) {
      latest.set(terms.subscription, journey)
      return []
    }
    if (disturbing(journeys, journey, message?.at ?? 0, at(journey)).length > 0) return []
    return [finding(journey, 'unordered', `${id} came after ${before.id}, which was published later`)]
  })
}

const at = ({ tries }: Journey): number => tries[0]?.request.at ?? 0
