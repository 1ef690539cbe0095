import type { Headers, Message } from './message.ts'
import { waybillHeaders } from './waybill-headers.ts'

/** What happened to a message before this delivery, according to its headers. */
export type History = {
  /** Attempts made before this one. */
  readonly attempts: number
  /** How often it went back to its queue from a consumer that crashed or requeued it. */
  readonly redeliveries: number
  /** When the first attempt ended, in ms since 1970; `undefined` before then. */
  readonly firstAttempt: number | undefined
  /** When the last attempt ended, in ms since 1970. */
  readonly lastAttempt?: number | undefined
  /** No attempt before this time, in ms since 1970. */
  readonly notBefore: number | undefined
  /** Where it was first published. */
  readonly exchange: string
  readonly routingKey: string
}

/**
 * Reads a message's history. Attempts count only on a message that came back from a delay through `returnExchange`:
 * elsewhere a producer may have written them, or a person put a dead letter back, and the message starts anew.
 * Its origin is believed on both, so that a message put back keeps its id. A header of a wrong type is ignored.
 */
export const historyOf = ({ fields, properties }: Message, returnExchange: string): History => {
  const { headers } = properties
  // On a first delivery the broker does not set this header: any value came from the producer.
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
    lastAttempt: timeOf(headers, waybillHeaders.lastAttempt),
    notBefore: timeOf(headers, waybillHeaders.notBefore),
    exchange,
    routingKey,
  }
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
