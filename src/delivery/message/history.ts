import type { Terms } from '../terms.ts'
import type { Headers, Message } from './message.ts'
import { waybillHeaders } from './waybill-headers.ts'

/** What happened to a message before this delivery, as its headers tell it. */
export type History = {
  /** Attempts made before this one. */
  readonly attempts: number
  /** How often the broker took it back from a consumer that had it, because that crashed or gave it back. */
  readonly redeliveries: number
  /** When the first attempt ended, in ms since 1970; `undefined` before it. */
  readonly firstAttempt: number | undefined
  /** No attempt before this time, in ms since 1970. */
  readonly notBefore: number | undefined
  /** Where it was first published. */
  readonly exchange: string
  readonly routingKey: string
}

/**
 * Reads a message's history. Attempts count only on a message that came back from a delay through `returnExchange`:
 * elsewhere a producer may have written them, or a person put a dead letter back, and the message starts anew.
 * Its origin is believed on both, so that a message put back keeps its id. A header of a wrong type is no header.
 */
export const historyOf = ({ fields, properties }: Message, returnExchange: string): History => {
  const { headers } = properties
  // On a first delivery the broker says nothing, so whatever is there came from the producer.
  const redeliveries = fields.redelivered ? countOf(headers?.['x-delivery-count']) : 0
  if (headers === undefined || headers[waybillHeaders.exchange] === undefined) {
    return fresh(fields.exchange, fields.routingKey, redeliveries)
  }
  const exchange = textOf(headers, waybillHeaders.exchange) ?? fields.exchange
  const routingKey = textOf(headers, waybillHeaders.routingKey) ?? fields.routingKey
  if (fields.exchange !== returnExchange) return fresh(exchange, routingKey, redeliveries)
  return {
    attempts: countOf(headers[waybillHeaders.attempts]),
    redeliveries,
    firstAttempt: timeOf(headers, waybillHeaders.firstAttempt),
    notBefore: timeOf(headers, waybillHeaders.notBefore),
    exchange,
    routingKey,
  }
}

/**
 * How many ms a message that came back must still wait, or `undefined` where its time has come.
 * A wait longer than `retryAfterMax` is not one that these terms would ask for, so it is over.
 */
export const tooEarly = (history: History, terms: Terms, now: number): number | undefined => {
  if (history.notBefore === undefined) return undefined
  const remaining = history.notBefore - now
  return remaining > 0 && remaining <= terms.retryAfterMaxMs ? remaining : undefined
}

const fresh = (exchange: string, routingKey: string, redeliveries: number): History => ({
  attempts: 0,
  redeliveries,
  firstAttempt: undefined,
  notBefore: undefined,
  exchange,
  routingKey,
})

const countOf = (value: unknown): number =>
  typeof value === 'number' && Number.isSafeInteger(value) && value > 0 ? value : 0

const textOf = (headers: Headers, name: string): string | undefined => {
  const value = headers[name]
  return typeof value === 'string' ? value : undefined
}

const timeOf = (headers: Headers, name: string): number | undefined => {
  const time = Date.parse(textOf(headers, name) ?? '')
  return Number.isNaN(time) ? undefined : time
}
