import { type, type Value } from '../message/field-table.ts'
import { Headers } from '../message/headers.ts'
import type { Message } from '../message/message.ts'

/** What the broker says of a message that it dead-lettered itself, by the newest entry of `x-death`. */
export type BrokerDeath = {
  readonly reason: BrokerReason
  readonly queue: string | undefined
  /** In ms since 1970, to the second. */
  readonly at: number | undefined
  /** What it was published with into that queue. */
  readonly exchange: string | undefined
  readonly routingKey: string | undefined
}

export type BrokerReason = 'Expired' | 'QueueLimit' | 'Rejected' | 'DeliveryLimit' | 'Unknown'

const reasons: ReadonlyMap<unknown, BrokerReason> = new Map([
  ['expired', 'Expired'],
  ['maxlen', 'QueueLimit'],
  ['rejected', 'Rejected'],
  ['delivery_limit', 'DeliveryLimit'],
] as const)

/** `undefined` for a message without `x-death`: no copy of Waybill's has one. https://www.rabbitmq.com/docs/dlx#effects */
export const brokerDeathOf = (headers: Headers | undefined): BrokerDeath | undefined => {
  const deaths = headers?.get('x-death')
  if (deaths === null || typeof deaths !== 'object' || !('is' in deaths) || deaths.is !== 'array') return undefined
  const { bytes } = deaths
  // An array of tables: the type byte and the length of the first one, then its fields.
  const newest =
    bytes[0] === type.table && bytes.length >= 5
      ? new Headers(bytes.subarray(5, Math.min(bytes.length, 5 + bytes.readUInt32BE(1))))
      : undefined
  return {
    reason: reasons.get(newest?.get('reason')) ?? 'Unknown',
    queue: newest?.text('queue'),
    at: timeOf(newest),
    exchange: newest?.text('exchange'),
    routingKey: firstTextOf(newest?.get('routing-keys')),
  }
}

/** An array of texts: the type byte and the length of the first one, then its bytes. */
const firstTextOf = (value: Value | undefined): string | undefined => {
  if (value === null || typeof value !== 'object' || !('is' in value) || value.is !== 'array') return undefined
  const { bytes } = value
  return bytes[0] === type.text && bytes.length >= 5 ? bytes.toString('utf8', 5, 5 + bytes.readUInt32BE(1)) : undefined
}

/** As `topology/names.ts` has it. */
export const returnExchange = 'waybill.return'

/** The message as it was in the queue in which the broker dropped it: there its headers meant what they say. */
export const asItDied = (message: Message, death: BrokerDeath | undefined): Message => {
  if (death?.exchange === undefined) return message
  const { exchange, routingKey = '' } = death
  // Where it came back from a delay, its headers are Waybill's own, as those of a dead letter are.
  if (exchange === returnExchange) return message
  return { ...message, fields: { ...message.fields, exchange, routingKey } }
}

const timeOf = (newest: Headers | undefined): number | undefined => {
  const time = newest?.get('time')
  const isTime = time !== null && typeof time === 'object' && 'is' in time && time.is === 'timestamp'
  const ms = isTime ? Number(time.seconds) * 1000 : Number.NaN
  return Math.abs(ms) <= 8.64e15 ? ms : undefined
}

const sentences: Readonly<Record<BrokerReason, string>> = {
  Expired: 'The broker dropped it: its time to live ended in the queue',
  QueueLimit: 'The broker dropped it: the queue was over its limit',
  Rejected: 'The broker dropped it: it was rejected',
  DeliveryLimit: 'The broker dropped it: it was returned to its queue too often',
  Unknown: 'The broker dropped it',
}

/** The reason in a sentence. */
export const brokerDeathText = ({ reason, queue }: BrokerDeath): string =>
  queue === undefined ? sentences[reason] : sentences[reason].replace('the queue', `the queue ${queue}`)
