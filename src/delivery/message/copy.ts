import type { Outcome } from '../attempt/outcome.ts'
import type { Decision } from '../decide.ts'
import type { History } from './history.ts'
import type { Message, Properties } from './message.ts'
import { waybillHeaders, waybillPrefix } from './waybill-headers.ts'

/** A message to publish, persistent, `mandatory` and confirmed, before the original is acknowledged. */
export type Copy = {
  readonly exchange: string
  readonly routingKey: string
  /** The very bytes of the original. */
  readonly body: Buffer
  readonly properties: CopyProperties
}

/** Only what the copy has: no member is `undefined`. */
export type CopyProperties = { readonly headers: Record<string, unknown>; readonly deliveryMode: 2 } & {
  -readonly [K in (typeof kept)[number]]?: NonNullable<Properties[K]>
}

/** Which subscription a message was taken for, and from which queue. */
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
  history: History,
  outcome: Outcome,
  decision: Decision & { do: 'retry' },
  level: string,
  now: number,
): Copy => {
  const headers = passedOn(message)
  attempted(headers, history, outcome, now)
  if (decision.notBefore !== undefined) headers[waybillHeaders.notBefore] = isoOf(decision.notBefore)
  return copyOf(message, level, origin.queue, headers)
}

/** The copy of a message that came back before its time: nothing about it changes but that it waits again. */
export const postponedCopy = (message: Message, origin: Origin, level: string): Copy => {
  const headers = passedOn(message)
  for (const name of Object.values(waybillHeaders)) {
    const value = message.properties.headers?.[name]
    if (value !== undefined) headers[name] = value
  }
  return copyOf(message, level, origin.queue, headers)
}

/**
 * The dead letter, for the queue `deadLetterQueue` by way of the default exchange.
 */
export const deadLetterCopy = (
  message: Message,
  origin: Origin,
  history: History,
  outcome: Outcome,
  decision: Decision & { do: 'dead-letter' },
  deadLetterQueue: string,
  now: number,
): Copy => {
  const headers = passedOn(message)
  attempted(headers, history, outcome, now)
  headers[waybillHeaders.subscription] = origin.subscription
  headers[waybillHeaders.queue] = origin.queue
  headers[waybillHeaders.reason] = decision.reason
  // A UTF-16 unit takes at most 3 bytes of UTF-8: this is at most 2 KiB.
  headers[waybillHeaders.error] = decision.message.slice(0, 682)
  return copyOf(message, '', deadLetterQueue, headers)
}

/**
 * Foreign headers as they are; the broker's and our own of an earlier hop are left out, but for the count of those that
 * are gone for good.
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

const attempted = (headers: Record<string, unknown>, history: History, outcome: Outcome, now: number): void => {
  const tried = outcome.kind !== 'unsendable'
  headers[waybillHeaders.attempts] = history.attempts + (tried ? 1 : 0)
  const first = history.firstAttempt ?? (tried ? now : undefined)
  if (first !== undefined) headers[waybillHeaders.firstAttempt] = isoOf(first)
  if (tried) headers[waybillHeaders.lastAttempt] = isoOf(now)
  if (outcome.kind === 'answered') headers[waybillHeaders.status] = outcome.status
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
