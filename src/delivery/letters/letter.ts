import { createHash, hash } from 'node:crypto'
import { toEvent } from '../event/event.ts'
import type { Value } from '../message/field-table.ts'
import { historyOf } from '../message/history.ts'
import { identityOf } from '../message/identity.ts'
import { lastAttemptsOf, type PastAttempt } from '../message/last-attempts.ts'
import type { Message } from '../message/message.ts'
import { waybillHeaders } from '../message/waybill-headers.ts'
import { base32 } from './base32.ts'
import { asItDied, type BrokerDeath, brokerDeathOf, brokerDeathText } from './broker-death.ts'
import { fingerprint } from './fingerprint.ts'

/** Why a message is kept: as a dead letter, as an event that nobody subscribed to, or because its queue was gone. */
export type Kept = 'dead' | 'parked' | 'orphaned'

/** A dead letter, read from its headers. Times are in ms since 1970. */
export type Letter = {
  /** The same at each reading. Two letters have the same one only where a crash made the broker keep a second copy. */
  readonly id: string
  /** The fingerprint of what went wrong; see {@link fingerprint}. */
  readonly group: string
  readonly reason: string
  readonly error: string
  readonly statusCode: number | undefined
  /** The type of problem that the subscriber described. */
  readonly problem: string | undefined
  /** Of the event; `undefined` where the message is none. */
  readonly eventId: string | undefined
  readonly eventType: string | undefined
  /** What it was first published with. */
  readonly exchange: string
  readonly routingKey: string
  readonly attempts: number
  readonly firstAttempt: number | undefined
  readonly lastAttempt: number | undefined
  readonly lastAttempts: readonly PastAttempt[]
  readonly deadLettered: number | undefined
  /** How often it was replayed, and the uid of the Replay that did it last. */
  readonly replays: number
  readonly replay: string | undefined
  /** Of the body, in bytes. */
  readonly size: number
}

/**
 * Reads a dead letter of a subscription (`namespace/name`), or another message that is kept, of the resource with this id. Never
 * throws, whatever the message holds: one that the broker dead-lettered, or that a person put into the queue, has no headers
 * of Waybill's, or false ones. What takes long is reckoned when it is asked for: there may be very many.
 */
export const letterOf = (message: Message, of: string, kept: Kept = 'dead'): Letter => {
  const { headers } = message.properties
  const text = (name: string): string | undefined => headers?.text(name)
  const death = kept === 'dead' ? brokerDeathOf(headers) : undefined
  const alive = asItDied(message, death)
  const history = historyOf(alive, nowhere)
  const event = toEvent(alive, history)
  const isEvent = 'id' in event
  const { reason, error, statusCode, problem, deadLettered } = whyHere(message, kept, death)
  const firstAttempt = timeOf(text(waybillHeaders.firstAttempt))
  const replays = countOf(headers?.get(waybillHeaders.replays))
  let id: string | undefined
  return {
    get id() {
      const parts = [of, isEvent ? event.id : '', firstAttempt, replays, reason]
      id ??= idOf(message, parts, isEvent && !death && kept === 'dead')
      return id
    },
    get group() {
      return fingerprint({ reason, statusCode, problem, error })
    },
    ...{ reason, error, statusCode, problem },
    eventId: isEvent ? event.id : undefined,
    eventType: isEvent ? typeOf(event.attributes) : undefined,
    exchange: history.exchange,
    routingKey: history.routingKey,
    attempts: countOf(headers?.get(waybillHeaders.attempts)),
    firstAttempt,
    get lastAttempt() {
      return timeOf(text(waybillHeaders.lastAttempt))
    },
    get lastAttempts() {
      return lastAttemptsOf(text(waybillHeaders.history))
    },
    deadLettered,
    replays,
    replay: text(waybillHeaders.replay),
    size: message.content.length,
  }
}

type Why = Pick<Letter, 'reason' | 'error' | 'statusCode' | 'problem' | 'deadLettered'>

const whyHere = ({ fields, properties: { headers } }: Message, kept: Kept, death: BrokerDeath | undefined): Why => {
  const none = { statusCode: undefined, problem: undefined }
  // Its headers are its producer's: they say nothing about when it was parked.
  if (kept === 'parked')
    return { ...none, reason: 'Unrouted', error: 'No subscription wanted it', deadLettered: undefined }
  if (kept === 'orphaned') {
    // A delay ends as what the broker calls a death.
    const { at } = brokerDeathOf(headers) ?? {}
    return { ...none, reason: 'Orphaned', error: `Its queue is gone: ${fields.routingKey}`, deadLettered: at }
  }
  if (death) return { ...none, reason: death.reason, error: brokerDeathText(death), deadLettered: death.at }
  const text = (name: string): string | undefined => headers?.text(name)
  return {
    reason: text(waybillHeaders.reason)?.slice(0, 64) ?? 'Unknown',
    error: text(waybillHeaders.error) ?? 'Nothing in it says why it is here',
    statusCode: statusOf(headers?.get(waybillHeaders.status)),
    problem: text(waybillHeaders.problem)?.slice(0, 256),
    deadLettered: timeOf(text(waybillHeaders.deadLettered) ?? text(waybillHeaders.lastAttempt)),
  }
}

/** Nothing comes back to a dead-letter queue from a delay. */
const nowhere = { returnExchange: 'waybill.none', countsDeliveries: false, timeToLiveMs: undefined }

const idOf = (message: Message, parts: readonly unknown[], isOurs: boolean): string => {
  if (isOurs) return idFrom(hash('sha256', parts.join('\0'), 'buffer'))
  const all = createHash('sha256')
  for (const part of identityOf(message)) all.update(part)
  return idFrom(all.digest())
}

/** Ten bytes are sixteen characters. */
const idFrom = (digest: Buffer): string => base32(digest.subarray(0, 10))

const typeOf = (attributes: readonly unknown[]): string | undefined => {
  for (let at = 0; at < attributes.length; at += 2) if (attributes[at] === 'type') return String(attributes[at + 1])
  return undefined
}

const statusOf = (value: Value | undefined): number | undefined =>
  typeof value === 'number' && Number.isInteger(value) && value >= 100 && value <= 999 ? value : undefined

const countOf = (value: Value | undefined): number =>
  typeof value === 'number' && Number.isSafeInteger(value) && value > 0 ? Math.min(value, 2 ** 31 - 2) : 0

const timeOf = (text: string | undefined): number | undefined => {
  const time = Date.parse(text ?? '')
  return Number.isNaN(time) ? undefined : time
}
