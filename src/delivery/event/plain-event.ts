import { createHash } from 'node:crypto'
import type { History } from '../message/history.ts'
import type { Message } from '../message/message.ts'
import type { Properties } from '../message/properties.ts'
import { type AttributeValue, isHeaderText, timeText } from './attribute.ts'
import { amqp10 } from './body.ts'
import { type BinaryEvent, codingOf } from './cloud-event.ts'

/** The type of a message without a type and a routing key. */
const untyped = 'dev.waybill.message'

/**
 * Wraps a message that is not a CloudEvent. The id is the same on every delivery: its `message_id`, else a hash of exchange,
 * routing key, timestamp, correlation id and body; so two messages that agree in all of these count as one event.
 * The source is the exchange in RabbitMQ's address format, its type the `type` property or the routing key.
 * https://www.rabbitmq.com/docs/amqp#address-v2
 */
export const plainEvent = (message: Message, body: Buffer, history: History): BinaryEvent => {
  const { properties } = message
  const { messageId, type, timestamp, contentType, headers } = properties
  const id = isText(messageId) ? messageId : hashOf(message, history)
  const source = sourceOf(history)
  const kind = isText(type) && type !== amqp10 ? type : isText(history.routingKey) ? history.routingKey : untyped
  const attributes: AttributeValue[] = ['specversion', '1.0', 'id', id, 'source', source, 'type', kind]
  const time = timestamp === undefined ? undefined : timeText(timestamp)
  if (time !== undefined) attributes.push('time', time)
  return {
    mode: 'binary',
    id,
    source,
    attributes,
    contentType: isHeaderText(contentType) ? contentType : undefined,
    contentEncoding: codingOf(properties),
    body,
    headers,
  }
}

/** The default exchange routes to the queue that the routing key names, so the queue is the source there. */
const sourceOf = ({ exchange, routingKey }: History): string =>
  exchange === ''
    ? `/queues/${encodeURIComponent(routingKey.toWellFormed())}`
    : `/exchanges/${encodeURIComponent(exchange.toWellFormed())}`

const hashOf = ({ content, properties }: Message, { exchange, routingKey }: History): string =>
  createHash('sha256')
    .update(JSON.stringify([exchange, routingKey, timeOf(properties), properties.correlationId ?? null]))
    .update(content)
    .digest('base64url')

/** JSON has no bigint. */
const timeOf = ({ timestamp }: Properties): number | string | null =>
  typeof timestamp === 'bigint' ? String(timestamp) : (timestamp ?? null)

/** A non-empty text that was valid UTF-8: U+FFFD replaces what was not. */
const isText = (value: unknown): value is string =>
  typeof value === 'string' && value !== '' && !value.includes('\uFFFD')
