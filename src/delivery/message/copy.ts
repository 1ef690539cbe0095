import type { Ended } from '../attempt/attempt.ts'
import type { Decision } from '../decide.ts'
import { withAttempt } from './last-attempts.ts'
import type { Message } from './message.ts'
import { type IsKept, type OwnHeader, rewritten } from './rewrite.ts'
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

/** The dead letter, published to the queue `deadLetterQueue` through the default exchange. */
export const deadLetterCopy = (
  message: Message,
  origin: Origin,
  ended: Ended,
  decision: Decision & { do: 'dead-letter' },
  deadLetterQueue: string,
): Copy => {
  const own = attempted(message, ended)
  own.push(
    [waybillHeaders.subscription, origin.subscription],
    [waybillHeaders.queue, origin.queue],
    [waybillHeaders.reason, decision.reason],
    [waybillHeaders.deadLettered, isoOf(ended.endedAt)],
    // A UTF-16 unit takes at most 3 bytes of UTF-8: this is at most 2 KiB.
    [waybillHeaders.error, decision.message.slice(0, 682)],
  )
  return copyOf(message, '', deadLetterQueue, isForeign, own)
}

const attempted = ({ properties }: Message, { attempt, outcome, endedAt }: Ended): OwnHeader[] => {
  const { number, history } = attempt
  const tried = outcome !== undefined && outcome.kind !== 'unsendable'
  const own: OwnHeader[] = [[waybillHeaders.attempts, tried ? number : history.attempts]]
  const first = history.firstAttempt ?? (tried ? endedAt : undefined)
  if (first !== undefined) own.push([waybillHeaders.firstAttempt, isoOf(first)])
  if (tried) own.push([waybillHeaders.lastAttempt, isoOf(endedAt)])
  const attempts = tried ? withAttempt(history.lastAttempts, { attempt, outcome, endedAt }) : history.lastAttempts
  if (attempts !== undefined) own.push([waybillHeaders.history, attempts])
  if (outcome?.kind === 'answered') own.push([waybillHeaders.status, outcome.status])
  if (outcome?.kind === 'answered' && outcome.problem !== undefined) own.push([waybillHeaders.problem, outcome.problem])
  if (history.priority !== undefined) own.push([waybillHeaders.priority, history.priority])
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
): Copy => ({ exchange, routingKey, body: content, properties: rewritten(properties, isKept, own) })

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

/** Not the broker's, and none of Waybill's from an earlier hop but what is true for good: headers dropped, and replays. */
const isForeign: IsKept = (table, at, value, end) => {
  if (table[at + 1] !== w) return isNotBrokers(table, at, value, end)
  const name = table.toString('latin1', at + 1, value)
  return lasting.has(name) || !name.startsWith(waybillPrefix)
}

const lasting: ReadonlySet<string> = new Set([waybillHeaders.headersDropped, waybillHeaders.replays])

const isoOf = (time: number): string => new Date(time).toISOString()
