import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import type { MessageProperties, Options } from 'amqplib'
import { Properties } from '../../delivery/message/properties.ts'

// Only until the client hands out the bytes themselves.
const require = createRequire(import.meta.url)
const codec = require(join(dirname(require.resolve('amqplib')), 'lib/defs.js'))
const basic = 60
const beforeProperties = 7 + 12

export const encoded = (properties: MessageProperties | Options.Publish): Properties => {
  const frame: Buffer = codec.encodeProperties(basic, 0, 0, properties)
  return new Properties(frame.subarray(beforeProperties, frame.length - 1))
}

export const decoded = (properties: Buffer): Options.Publish => codec.decode(basic, properties)
