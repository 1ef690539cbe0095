import type { Message } from '../message/message.ts'
import type { Unparsable } from './cloud-event.ts'

/** The `type` that RabbitMQ gives to a message whose body it cannot express in AMQP 0-9-1: no type of a producer's. */
export const amqp10 = 'amqp-1.0'

/**
 * The payload of a message. From an AMQP 1.0 producer the broker passes on data sections as they are, and any other body
 * encoded. A value that is one string or one byte array is decoded; nothing else has bytes of its own.
 * http://docs.oasis-open.org/amqp/core/v1.0/os/amqp-core-types-v1.0-os.html#section-encodings
 */
export const bodyOf = ({ content, properties }: Message): Buffer | Unparsable => {
  if (content[0] !== described || content[1] !== smallUlong || properties.type !== amqp10) return content
  if (content[2] !== amqpValue && content[2] !== amqpSequence) return content
  const start = content[2] === amqpValue ? startOf(content) : undefined
  return start === undefined ? noBody : content.subarray(start)
}

const described = 0x00
const smallUlong = 0x53
const amqpSequence = 0x76
const amqpValue = 0x77
const typeAt = 3

/** Where the bytes of the one string or byte array begin; it must end with the body. */
const startOf = (content: Buffer): number | undefined => {
  switch (content[typeAt]) {
    // A byte array, a string: up to 255 bytes.
    case 0xa0:
    case 0xa1:
      return content[4] === content.length - 5 ? 5 : undefined
    // The same with a length of 32 bits.
    case 0xb0:
    case 0xb1:
      return content.length >= 8 && content.readUInt32BE(4) === content.length - 8 ? 8 : undefined
    default:
      return undefined
  }
}

const noBody: Unparsable = {
  unparsable:
    'The body is an AMQP 1.0 value or sequence: only data sections, or a value that is one string or one binary, make a body',
}
