import type { Ended } from '../attempt/attempt.ts'
import type { Decision } from '../decide.ts'
import type { History, Replayed } from './history.ts'
import { withAttempt } from './last-attempts.ts'
import type { Message } from './message.ts'
import { type IsKept, type OwnHeader, type OwnProperties, rewritten } from './rewrite.ts'
import { waybillHeaders, waybillPrefix } from './waybill-headers.ts'

/** A message to publish, persistent, `mandatory` and confirmed, before the original is acknowledged. */
export type Copy = {
  readonly exchange: string
  readonly routingKey: string
  /** The very bytes of the original. */
  readonly body: Buffer
  /** Property flags and property list, ready for the content header. */
  readonly properties: Buffer
}

/** The subscription that a message is delivered for, and the queue that it came from. */
export type Origin = {
  /** `namespace/name` */
  readonly subscription: string
  readonly queue: string
}

/** The copy for another attempt: it waits in the delay behind the exchange `level` and comes back to `origin.queue`. */
export const retryCopy = (
  message: Message,
  origin: Origin,
  ended: Ended,
  decision: Decision & { do: 'retry' },
  level: string,
): Copy => {
  const { attempt } = ended
  const own = attempted(message, ended)
  if (decision.notBefore !== undefined) own.push([waybillHeaders.notBefore, isoOf(decision.notBefore)])
  if (attempt.expiresAt !== undefined) own.push([waybillHeaders.expires, isoOf(attempt.expiresAt)])
  return copyOf(message, level, origin.queue, isForeign, own)
}

/** The copy of a message that came back before its time: it waits again, otherwise unchanged. */
export const postponedCopy = (message: Message, origin: Origin, level: string): Copy => {
  const { priority } = message.properties
  const own: OwnHeader[] = priority === undefined ? [] : [[waybillHeaders.priority, priority]]
  return copyOf(message, level, origin.queue, isNotBrokers, own)
}

/** A suspect: the message once more, into its queue through `exchange`, with how often it came back from being tried alone. */
export const suspectCopy = (
  message: Message,
  origin: Origin,
  { attempt, endedAt }: Ended,
  deaths: number,
  exchange: string,
): Copy => {
  const own = attempted(message, { attempt, outcome: undefined, endedAt })
  own.push([waybillHeaders.suspect, deaths])
  if (attempt.expiresAt !== undefined) own.push([waybillHeaders.expires, isoOf(attempt.expiresAt)])
  return copyOf(message, exchange, origin.queue, isForeign, own)
}

/**
 * The dead letter, published to the queue `deadLetterQueue` through the default exchange; `replayed` where it was one before and
 * failed again.
 */
export const deadLetterCopy = (
  message: Message,
  origin: Origin,
  ended: Ended,
  decision: Pick<Decision & { do: 'dead-letter' }, 'reason' | 'message'>,
  deadLetterQueue: string,
  replayed?: Replayed,
): Copy => {
  const own = attempted(message, ended, replayed)
  own.push(
    [waybillHeaders.subscription, origin.subscription],
    [waybillHeaders.queue, origin.queue],
    [waybillHeaders.reason, decision.reason],
    [waybillHeaders.deadLettered, isoOf(ended.endedAt)],
    // A UTF-16 unit takes at most 3 bytes of UTF-8: this is at most 2 KiB.
    [waybillHeaders.error, decision.message.slice(0, 682)],
  )
  return copyOf(message, '', deadLetterQueue, replayed ? isForeignToReplay : isForeign, own)
}

/** Where a copy is put: through which exchange, and with which routing key. */
export type Whither = { readonly exchange: string; readonly routingKey: string }

/** A message that was kept, put where all its attempts begin anew. What it was first published with is lost unless `to` says so. */
export const putBackCopy = (message: Message, history: History, to: Whither, replayed: Replayed): Copy => {
  const { exchange, routingKey, priority } = history
  const own: OwnHeader[] = replayHeaders(replayed)
  if (to.exchange === '') own.push([waybillHeaders.exchange, exchange], [waybillHeaders.routingKey, routingKey])
  return copyOf(message, to.exchange, to.routingKey, isForeign, own, { priority })
}

/** Who discarded a dead letter and why, and the dead-letter queue that it comes from. Times are in ms since 1970. */
export type Discarded = {
  readonly at: number
  readonly by: string
  readonly reason: string
  readonly from: string
}

/**
 * A dead letter as it is, published to the queue `bin`, which drops it after `keptMs`. `history` is there for what has no headers
 * that say with what it was first published.
 */
export const discardedCopy = (
  message: Message,
  { at, by, reason, from }: Discarded,
  { bin, keptMs }: { readonly bin: string; readonly keptMs: number },
  history?: History,
): Copy => {
  const own: OwnHeader[] = [
    [waybillHeaders.discarded, isoOf(at)],
    [waybillHeaders.discardedBy, by],
    [waybillHeaders.discardedReason, reason],
    [waybillHeaders.discardedFrom, from],
  ]
  const { priority } = message.properties
  const set = { expiration: String(keptMs), priority }
  if (history === undefined) return copyOf(message, '', bin, isNotDiscards, own, set)
  own.push([waybillHeaders.exchange, history.exchange], [waybillHeaders.routingKey, history.routingKey])
  return copyOf(message, '', bin, isNeitherDiscardsNorOrigin, own, set)
}

/** A discarded message as the dead letter that it was, published to the queue that it came from. */
export const restoredCopy = (message: Message, deadLetterQueue: string): Copy =>
  copyOf(message, '', deadLetterQueue, isNotDiscards, [], { priority: message.properties.priority })

const replayHeaders = ({ by, times }: Replayed): OwnHeader[] => [
  [waybillHeaders.replays, times],
  [waybillHeaders.replay, by],
]

const attempted = (
  { properties }: Message,
  { attempt, outcome, endedAt, trace = attempt.history.trace }: Ended,
  replayed: Replayed | undefined = attempt.history.replayed,
): OwnHeader[] => {
  const { number, history } = attempt
  const tried = outcome !== undefined && outcome.kind !== 'unsendable'
  const own: OwnHeader[] = [[waybillHeaders.attempts, tried ? number : history.attempts]]
  const first = history.firstAttempt ?? (tried ? endedAt : undefined)
  if (first !== undefined) own.push([waybillHeaders.firstAttempt, isoOf(first)])
  if (tried) own.push([waybillHeaders.lastAttempt, isoOf(endedAt)])
  const attempts = tried ? withAttempt(history.lastAttempts, { attempt, outcome, endedAt }) : history.lastAttempts
  if (attempts !== undefined) own.push([waybillHeaders.history, attempts])
  if (trace !== undefined) own.push([waybillHeaders.trace, trace])
  if (outcome?.kind === 'answered') own.push([waybillHeaders.status, outcome.status])
  if (outcome?.kind === 'answered' && outcome.problem !== undefined) own.push([waybillHeaders.problem, outcome.problem])
  if (history.priority !== undefined) own.push([waybillHeaders.priority, history.priority])
  if (replayed) own.push(...replayHeaders(replayed))
  own.push([waybillHeaders.exchange, history.exchange], [waybillHeaders.routingKey, history.routingKey])
  if (properties.isBroken) own.push([waybillHeaders.brokenProperties, properties.raw])
  return own
}

const copyOf = (
  { properties, content }: Message,
  exchange: string,
  routingKey: string,
  isKept: IsKept,
  own: readonly OwnHeader[],
  set?: OwnProperties,
): Copy => ({ exchange, routingKey, body: content, properties: rewritten(properties, isKept, own, set) })

/**
 * Headers that the broker writes or acts on. `x-death` would make it drop the copy as a dead-letter cycle, `CC` and `BCC`
 * would route it elsewhere too. https://www.rabbitmq.com/docs/dlx https://www.rabbitmq.com/docs/sender-selected
 */
const brokersOwn = /^(x-death|x-(first|last)-death-.*|x-delivery-count|x-acquired-count|CC|BCC)$/s

/** The first letters of the names that are not always passed on: no other name is decoded. */
const [w, x, b, c] = [...'wxBC'].map((letter) => letter.charCodeAt(0))

const isNotBrokers: IsKept = (table, at, value) => {
  const first = table[at + 1]
  if (first !== x && first !== b && first !== c) return true
  return !brokersOwn.test(table.toString('latin1', at + 1, value))
}

/** Not the broker's, and none of Waybill's from an earlier hop but what is true for good: headers dropped. */
const isForeign: IsKept = (table, at, value, end) => {
  if (table[at + 1] !== w) return isNotBrokers(table, at, value, end)
  const name = table.toString('latin1', at + 1, value)
  return lasting.has(name) || !name.startsWith(waybillPrefix)
}

/** As `isForeign`, but what could not be read before stays. */
const isForeignToReplay: IsKept = (table, at, value, end) =>
  table[at + 1] === w
    ? keptByReplay(table.toString('latin1', at + 1, value), () => isForeign(table, at, value, end))
    : isForeign(table, at, value, end)

const keptByReplay = (name: string, otherwise: () => boolean): boolean =>
  name === waybillHeaders.brokenProperties || otherwise()

/**
 * All but what was written when it was discarded, and what the broker acts on or counts anew. Its `x-death` stays: it says why
 * the message is a dead letter, and nothing dead-letters it again from where it goes.
 */
const isNotDiscards: IsKept = (table, at, value) => {
  const first = table[at + 1]
  if (first !== w && first !== x && first !== b && first !== c) return true
  return !/^(waybill-discarded.*|x-delivery-count|x-acquired-count|CC|BCC)$/s.test(
    table.toString('latin1', at + 1, value),
  )
}

const isNeitherDiscardsNorOrigin: IsKept = (table, at, value, end) =>
  isNotDiscards(table, at, value, end) && !origin.has(table.toString('latin1', at + 1, value))

const origin: ReadonlySet<string> = new Set([waybillHeaders.exchange, waybillHeaders.routingKey])

const lasting: ReadonlySet<string> = new Set([waybillHeaders.headersDropped])

const isoOf = (time: number): string => new Date(time).toISOString()
