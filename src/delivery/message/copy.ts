import type { Ended } from '../attempt/attempt.ts'
import type { Decision } from '../decide.ts'
import type { Message, Properties } from './message.ts'
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

/** Only the properties that the copy has: no member is `undefined`. */
export type CopyProperties = { readonly headers: Record<string, unknown>; readonly deliveryMode: 2 } & {
  -readonly [K in (typeof kept)[number]]?: NonNullable<Properties[K]>
}

/** The subscription that a message is delivered for, and the queue that it came from. */
export type Origin = {
  /** `namespace/name` */
  readonly subscription: string
  readonly queue: string
}

/**
 * Everything but `expiration`, which would end the wait early or drop the dead letter, and `userId`, which the broker
 * refuses from another user. https://www.rabbitmq.com/docs/validated-user-id
 */
const kept = [
  'contentType',
  'contentEncoding',
  'priority',
  'correlationId',
  'replyTo',
  'messageId',
  'timestamp',
  'type',
  'appId',
] as const satisfies (keyof Properties)[]

/**
 * Headers that the broker writes or acts on. `x-death` would make it drop the copy as a dead-letter cycle, `CC` and `BCC`
 * would route it elsewhere too. https://www.rabbitmq.com/docs/dlx https://www.rabbitmq.com/docs/sender-selected
 */
const brokersOwn = /^(x-death|x-(first|last)-death-.*|x-delivery-count|x-acquired-count|CC|BCC)$/

/** The copy for another attempt: it waits in the delay behind the exchange `level` and comes back to `origin.queue`. */
export const retryCopy = (
  message: Message,
  origin: Origin,
  ended: Ended,
  decision: Decision & { do: 'retry' },
  level: string,
): Copy => {
  const headers = passedOn(message)
  attempted(headers, ended)
  if (decision.notBefore !== undefined) headers[waybillHeaders.notBefore] = isoOf(decision.notBefore)
  return copyOf(message, level, origin.queue, headers)
}

/** The copy of a message that came back before its time: it waits again, otherwise unchanged. */
export const postponedCopy = (message: Message, origin: Origin, level: string): Copy => {
  const headers = passedOn(message)
  for (const name of Object.values(waybillHeaders)) {
    const value = message.properties.headers?.[name]
    if (value !== undefined) headers[name] = value
  }
  return copyOf(message, level, origin.queue, headers)
}

/** The dead letter, published to the queue `deadLetterQueue` through the default exchange. */
export const deadLetterCopy = (
  message: Message,
  origin: Origin,
  ended: Ended,
  decision: Decision & { do: 'dead-letter' },
  deadLetterQueue: string,
): Copy => {
  const headers = passedOn(message)
  attempted(headers, ended)
  headers[waybillHeaders.subscription] = origin.subscription
  headers[waybillHeaders.queue] = origin.queue
  headers[waybillHeaders.reason] = decision.reason
  // A UTF-16 unit takes at most 3 bytes of UTF-8: this is at most 2 KiB.
  headers[waybillHeaders.error] = decision.message.slice(0, 682)
  return copyOf(message, '', deadLetterQueue, headers)
}

/**
 * Foreign headers, unchanged. The broker's headers and Waybill's from an earlier hop are left out, except for the count of
 * the headers that were dropped for good.
 */
const passedOn = ({ properties }: Message): Record<string, unknown> => {
  const headers: Record<string, unknown> = {}
  for (const [name, value] of Object.entries(properties.headers ?? {})) {
    const isPassedOn =
      name === waybillHeaders.headersDropped || !(name.startsWith(waybillPrefix) || brokersOwn.test(name))
    if (isPassedOn) headers[name] = value
  }
  return headers
}

const attempted = (headers: Record<string, unknown>, { attempt, outcome, endedAt }: Ended): void => {
  const { number, history } = attempt
  const tried = outcome !== undefined && outcome.kind !== 'unsendable'
  headers[waybillHeaders.attempts] = tried ? number : history.attempts
  const first = history.firstAttempt ?? (tried ? endedAt : undefined)
  if (first !== undefined) headers[waybillHeaders.firstAttempt] = isoOf(first)
  if (tried) headers[waybillHeaders.lastAttempt] = isoOf(endedAt)
  if (outcome?.kind === 'answered') headers[waybillHeaders.status] = outcome.status
  headers[waybillHeaders.exchange] = history.exchange
  headers[waybillHeaders.routingKey] = history.routingKey
}

const copyOf = (message: Message, exchange: string, routingKey: string, headers: Record<string, unknown>): Copy => {
  const properties: CopyProperties = { headers, deliveryMode: 2 }
  for (const name of kept) {
    const value = message.properties[name]
    if (value !== undefined) Object.assign(properties, { [name]: value })
  }
  return { exchange, routingKey, body: message.content, properties }
}

const isoOf = (time: number): string => new Date(time).toISOString()
