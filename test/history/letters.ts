import type { Finding } from './check.ts'
import { finding } from './fates.ts'
import type { Found, Letter } from './history.ts'
import {
  begunAt,
  deliveredAt,
  hiding,
  isKnown,
  isSuccess,
  type Journey,
  type Journeys,
  lettersOf,
  settlingMs,
  shaking,
} from './journeys.ts'
import { repeatsOf } from './repeats.ts'

/** Rules about dead letters: that there is a reason for each, and that it is the one that it says. */

/**
 * A second delivery may fail for good: of a message that came back although it was answered, or of a copy that was stored
 * twice before. Either takes a disturbance, and a further attempt unless attempts were not seen.
 */
export const deadThoughDelivered = (journeys: Journeys): Finding[] =>
  journeys.all.flatMap((journey) => {
    const at = deliveredAt(journey)
    const [letter] = lettersOf(journey)
    if (at === undefined || letter === undefined) return []
    const begun = begunAt(journey)
    const isShaken = shaking(journeys, journey, begun, at + settlingMs).length > 0
    if (isShaken && hasFurther(journeys, journey, letter)) return []
    return [finding(journey, 'dead-lettered', `${journey.id} was answered 2xx at ${at} and is a dead letter`)]
  })

/** Whether there was, or may have been, another attempt than those that led to the 2xx. */
const hasFurther = (journeys: Journeys, journey: Journey, { at: end, letter }: Found): boolean => {
  const { tries } = journey
  const answered = tries.find(({ answer }) => isSuccess(answer))
  const numbers = new Set(tries.map(({ request }) => request.attempt))
  const isGapless = Math.max(...numbers, letter?.attempts ?? 0) === numbers.size
  const from = answered?.request.at ?? 0
  return (
    repeatsOf(journey) > 0 ||
    !isGapless ||
    hiding('requests', journeys, journey, begunAt(journey), end).length > 0 ||
    // The answer may have come too late for Waybill.
    hiding('times', journeys, journey, from, (answered?.answer?.at ?? from) + settlingMs).length > 0
  )
}

/** A message is given up for a reason, and for no other than it says. */
export const givenUp = (journeys: Journeys): Finding[] =>
  judged(journeys, 'given-up', (journey, found) => {
    const { letter } = found
    return letter === undefined ? 'the broker gave it up' : noReason(journeys, journey, found, letter)
  })

/** So many of them at least return a message as often as it takes to give it up. */
const leastReturns = 4

const noReason = (journeys: Journeys, journey: Journey, found: Found, letter: Letter): string | undefined => {
  const { terms, tries, message } = journey
  const { reason, attempts, status } = letter
  switch (reason) {
    case 'Exhausted':
      return attempts >= terms.leastAttempts ? undefined : `after ${attempts} attempts of ${terms.leastAttempts}`
    case 'Rejected': {
      const isAnswer = tries.some(({ request, answer }) => request.attempt === attempts && answer?.status === status)
      if (isAnswer && terms.rejects(status ?? 0)) return undefined
      return `as rejected by the answer ${status} to attempt ${attempts}`
    }
    case 'Unparsable':
      if (tries.length > 0) return 'as unparsable after it was sent'
      return message?.isSendable === true ? 'as unparsable, which it is not' : undefined
    case 'DeliveryLimit': {
      const times = shaking(journeys, journey, begunAt(journey), found.at).length
      return times >= leastReturns ? undefined : `as one that came back too often, by ${times} disturbances`
    }
    default:
      return `as ${reason}`
  }
}

/** What a dead letter says of its origin and of the last answer is true. */
export const mislabelled = (journeys: Journeys): Finding[] =>
  judged(journeys, 'mislabelled', (journey, { letter }) => {
    const { terms, message } = journey
    if (letter === undefined || message === undefined) return undefined
    if (letter.subscription !== terms.subscription) return `as one of ${letter.subscription}`
    if (letter.exchange !== message.exchange) return `as one from ${letter.exchange}`
    if (letter.routingKey !== message.routingKey) return `with the routing key ${letter.routingKey}`
    return letter.reason === 'Exhausted' ? otherStatus(journeys, journey, letter) : undefined
  })

const otherStatus = (journeys: Journeys, journey: Journey, { attempts, status }: Letter): string | undefined => {
  const last = journey.tries.filter(({ request }) => request.attempt === attempts)
  const [first] = last
  if (first === undefined || status === undefined || deliveredAt(journey) !== undefined) return undefined
  if (last.some(({ answer }) => answer === undefined || answer.status === status)) return undefined
  const { at } = first.request
  if (shaking(journeys, journey, at - settlingMs, at + settlingMs).length > 0) return undefined
  return `with the status ${status}, which was not answered to attempt ${attempts}`
}

type Judge = (journey: Journey, found: Found) => string | undefined

const judged = ({ all }: Journeys, fault: Finding['fault'], judge: Judge): Finding[] =>
  all.filter(isKnown).flatMap((journey) =>
    lettersOf(journey).flatMap((found) => {
      const what = judge(journey, found)
      return what === undefined ? [] : [finding(journey, fault, `${journey.id} is a dead letter, ${what}`)]
    }),
  )
