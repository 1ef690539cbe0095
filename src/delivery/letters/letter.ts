import { createHash, hash } from 'node:crypto'
import { toEvent } from '../event/event.ts'
import type { Value } from '../message/field-table.ts'
import type { Headers } from '../message/headers.ts'
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

/** What is known of a letter before its message is read, such as of one with something withheld. */
export type Known = Pick<Letter, 'id' | 'group' | 'size'>

/**
 * Reads a dead letter of a subscription (`namespace/name`), or another message that is kept, of the resource with this id. Never
 * throws, whatever the message holds: one that the broker dead-lettered, or that a person put into the queue, has no headers
 * of Waybill's, or false ones. What takes long is reckoned when it is asked for: there may be very many.
 */
export const letterOf = (message: Message, of: string, kept: Kept = 'dead', known?: Known): Letter =>
  new ReadLetter(message, of, kept, known)

/** A class, because objects with getters of their own each cost a hidden class, which is freed very late. */
class ReadLetter implements Letter {
  readonly #message: Message
  readonly #of: string
  readonly #isOwnCopy: boolean
  readonly #event: ReturnType<typeof toEvent>
  #id: string | undefined
  #group: string | undefined
  readonly reason: string
  readonly error: string
  readonly statusCode: number | undefined
  readonly problem: string | undefined
  readonly exchange: string
  readonly routingKey: string
  readonly firstAttempt: number | undefined
  readonly deadLettered: number | undefined
  readonly replays: number
  readonly size: number

  constructor(message: Message, of: string, kept: Kept, known: Known | undefined) {
    const { headers } = message.properties
    const death = kept === 'dead' ? brokerDeathOf(headers) : undefined
    const alive = asItDied(message, death)
    const history = historyOf(alive, nowhere)
    const { reason, error, statusCode, problem, deadLettered } = whyHere(message, kept, death)
    this.#message = message
    this.#of = of
    this.#isOwnCopy = !death && kept === 'dead'
    this.#event = toEvent(alive, history)
    this.#id = known?.id
    this.#group = known?.group
    this.reason = reason
    this.error = error
    this.statusCode = statusCode
    this.problem = problem
    this.exchange = history.exchange
    this.routingKey = history.routingKey
    this.firstAttempt = timeOf(headers?.text(waybillHeaders.firstAttempt))
    this.deadLettered = deadLettered
    this.replays = countOf(headers?.get(waybillHeaders.replays))
    this.size = known?.size ?? message.content.length
  }

  get id(): string {
    const { eventId, firstAttempt, replays, reason } = this
    const parts = [this.#of, eventId ?? '', firstAttempt, replays, reason]
    this.#id ??= idOf(this.#message, parts, eventId !== undefined && this.#isOwnCopy)
    return this.#id
  }

  get group(): string {
    this.#group ??= fingerprint(this)
    return this.#group
  }

  get eventId(): string | undefined {
    return 'id' in this.#event ? this.#event.id : undefined
  }

  get eventType(): string | undefined {
    return 'id' in this.#event ? typeOf(this.#event.attributes) : undefined
  }

  get attempts(): number {
    return countOf(this.#headers?.get(waybillHeaders.attempts))
  }

  get lastAttempt(): number | undefined {
    return timeOf(this.#headers?.text(waybillHeaders.lastAttempt))
  }

  get lastAttempts(): readonly PastAttempt[] {
    return lastAttemptsOf(this.#headers?.text(waybillHeaders.history))
  }

  get replay(): string | undefined {
    return this.#headers?.text(waybillHeaders.replay)
  }

  get #headers(): Headers | undefined {
    return this.#message.properties.headers
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
