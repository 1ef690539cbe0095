import type { History } from '../message/history.ts'
import type { Message } from '../message/message.ts'
import { binaryEvent, prefixOf } from './binary-event.ts'
import type { CloudEvent, Unparsable } from './cloud-event.ts'
import { plainEvent } from './plain-event.ts'
import { structuredEvent } from './structured-event.ts'

/**
 * Reads a message as a CloudEvent: a structured event by its content type, a binary event by its headers; any other message is
 * wrapped. Never throws, whatever the message holds.
 * https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/bindings/amqp-protocol-binding.md
 */
export const toEvent = (message: Message, history: History): CloudEvent | Unparsable => {
  const { contentType, headers } = message.properties
  if (contentType !== undefined && isEventFormat(contentType)) return structuredEvent(message, contentType)
  const prefix = headers && prefixOf(headers)
  return prefix === undefined ? plainEvent(message, history) : binaryEvent(message, prefix)
}

/** CloudEvents AMQP binding §3: a content type that begins so means structured mode. */
const isEventFormat = (contentType: string): boolean => /^application\/cloudevents/i.test(contentType)
