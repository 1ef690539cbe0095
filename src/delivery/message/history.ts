import type { Value } from './field-table.ts'
import type { Headers } from './headers.ts'
import type { Message } from './message.ts'
import { waybillHeaders } from './waybill-headers.ts'

/** A replay of a dead letter: the uid of the Replay, and how often the letter was replayed, this time included. */
export type Replayed = { readonly by: string; readonly times: number }

/** What happened to a message before this delivery, according to its headers. */
export type History = {
  /** Attempts made before this one. */
  readonly attempts: number
  /** How often it went back to its queue from a consumer that crashed or requeued it. */
  readonly redeliveries: number
  /** Of a suspect: how often it came back from being tried alone before; `undefined` where it is none. */
  readonly deaths: number | undefined
  /** When the first attempt ended, in ms since 1970; `undefined` before then. */
  readonly firstAttempt: number | undefined
  /** When the last attempt ended, in ms since 1970. */
  readonly lastAttempt?: number | undefined
  /** No attempt before this time, in ms since 1970. */
  readonly notBefore: number | undefined
  /** No attempt from this time on, in ms since 1970; `undefined` before the first attempt. */
  readonly expiresAt: number | undefined
  /** How long it may live from its first attempt on, in ms. */
  readonly timeToLiveMs: number | undefined
  /** The last attempts, as the header `waybill-history` tells them. */
  readonly lastAttempts?: string | undefined
  /** The last attempt's place in its trace, as the header `waybill-trace` tells it. */
  readonly trace?: string | undefined
  /** Of the property that it was first published with. */
  readonly priority: number | undefined
  /** Of a dead letter that was put back into its queue: how often it was replayed, and the uid of the Replay that did it last. */
  readonly replayed?: Replayed | undefined
  /** Where it was first published. */
  readonly exchange: string
  readonly routingKey: string
}

/** What the headers of a message mean depends on where it comes from. */
export type Whence = {
  /** The exchange that messages come back from their delay through. */
  readonly returnExchange: string
  /** Whether the queue counts how often it delivers a message. A classic one does not: there a producer wrote the count. */
  readonly countsDeliveries: boolean
  /** How long the queue keeps a message, in ms. */
  readonly timeToLiveMs: number | undefined
}

/**
 * Reads a message's history. Attempts count only on a message that came back from a delay through `returnExchange`:
 * elsewhere a producer may have written them, or a person put a dead letter back, and the message starts anew.
 * Its origin and its replays are believed on both, so that a message put back into its queue keeps its id, but not on what came
 * through an exchange: whoever may publish there could pass for another. A header of a wrong type is ignored.
 */
export const historyOf = ({ fields, properties }: Message, whence: Whence): History => {
  const { headers } = properties
  const isBack = fields.exchange === whence.returnExchange
  const isPutBack = isBack || fields.exchange === ''
  const isOriginBelieved = isPutBack && headers?.has(waybillHeaders.exchange) === true
  return {
    attempts: isBack ? countOf(headers?.get(waybillHeaders.attempts)) : 0,
    redeliveries: redeliveriesOf(fields.redelivered && (isBack || whence.countsDeliveries), headers),
    deaths: isBack && headers?.has(waybillHeaders.suspect) ? countOf(headers.get(waybillHeaders.suspect)) : undefined,
    firstAttempt: isBack ? timeOf(headers, waybillHeaders.firstAttempt) : undefined,
    lastAttempt: isBack ? timeOf(headers, waybillHeaders.lastAttempt) : undefined,
    lastAttempts: isBack ? headers?.text(waybillHeaders.history) : undefined,
    trace: isBack ? headers?.text(waybillHeaders.trace) : undefined,
    notBefore: isBack ? timeOf(headers, waybillHeaders.notBefore) : undefined,
    expiresAt: isBack ? timeOf(headers, waybillHeaders.expires) : undefined,
    timeToLiveMs: isBack ? undefined : shorter(timeToLiveOf(properties.expiration), whence.timeToLiveMs),
    priority: properties.priority ?? (isBack ? priorityOf(headers?.get(waybillHeaders.priority)) : undefined),
    replayed: isPutBack ? replayedOf(headers) : undefined,
    exchange: (isOriginBelieved ? headers?.text(waybillHeaders.exchange) : undefined) ?? fields.exchange,
    routingKey: (isOriginBelieved ? headers?.text(waybillHeaders.routingKey) : undefined) ?? fields.routingKey,
  }
}

/** Whether a message is a suspect: it came back so often that it is tried alone. */
export const isSuspect = ({ fields, properties }: Message, whence: Whence): boolean =>
  fields.exchange === whence.returnExchange && properties.headers?.has(waybillHeaders.suspect) === true

/** Whether a message is no event: it only kept its queue closed, and an operator that died left it there. */
export const isPlug = ({ fields, properties }: Message): boolean =>
  fields.exchange === '' && properties.headers?.has(waybillHeaders.plug) === true

/**
 * On a first delivery the broker does not set the header: any value came from the producer. Copies never have it, so on a
 * message that is back the broker wrote it.
 */
const redeliveriesOf = (isCounted: boolean, headers: Headers | undefined): number =>
  isCounted ? countOf(headers?.get('x-delivery-count')) : 0

const countOf = (value: Value | undefined): number =>
  typeof value === 'number' && Number.isSafeInteger(value) && value > 0 ? Math.min(value, most) : 0

/** What a header of 32 bits can hold, after one more attempt. */
const most = 2 ** 31 - 2

const replayedOf = (headers: Headers | undefined): Replayed | undefined => {
  const times = countOf(headers?.get(waybillHeaders.replays))
  return times === 0 ? undefined : { times, by: headers?.text(waybillHeaders.replay)?.slice(0, 64) ?? '' }
}

const priorityOf = (value: Value | undefined): number | undefined =>
  typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= 255 ? value : undefined

const timeToLiveOf = (expiration: string | undefined): number | undefined =>
  expiration !== undefined && /^\d{1,10}$/.test(expiration) ? Number(expiration) : undefined

const shorter = (one: number | undefined, other: number | undefined): number | undefined =>
  one === undefined || other === undefined ? (one ?? other) : Math.min(one, other)

const timeOf = (headers: Headers | undefined, name: string): number | undefined => {
  const time = Date.parse(headers?.text(name) ?? '')
  return Number.isNaN(time) ? undefined : time
}
