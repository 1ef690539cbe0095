import type { History } from '../message/history.ts'
import type { Message } from '../message/message.ts'
import { binaryEvent, prefixOf } from './binary-event.ts'
import { bodyOf } from './body.ts'
import type { CloudEvent, Unparsable } from './cloud-event.ts'
import { plainEvent } from './plain-event.ts'
import { structuredEvent } from './structured-event.ts'

/**
 * Reads a message as a CloudEvent: a structured event by its content type, a binary event by its headers; any other message is
 * wrapped. Never throws, whatever the message holds.
 * https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/bindings/amqp-protocol-binding.md
 */
export const toEvent = (message: Message, history: History): CloudEvent | Unparsable => {
  const { properties } = message
  const { contentType, headers } = properties
  const body = bodyOf(message)
  if ('unparsable' in body) return body
  if (contentType !== undefined && isEventFormat(contentType)) return structuredEvent(properties, body, contentType)
  // What an event needs may be in the part that cannot be read.
  if (properties.isBroken) return { unparsable: 'The properties of the message, or its headers, cannot be read' }
  const prefix = headers && prefixOf(headers)
  return prefix === undefined ? plainEvent(message, body, history) : binaryEvent(properties, body, prefix)
}

/** CloudEvents AMQP binding §3: a content type that begins so means structured mode. */
const isEventFormat = (contentType: string): boolean => /^application\/cloudevents/i.test(contentType)
