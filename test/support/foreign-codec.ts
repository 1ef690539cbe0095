import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import type { MessageProperties, Options } from 'amqplib'
import { Properties } from '../../src/delivery/message/properties.ts'

/** amqplib's own codec, which it does not export: whoever wrote it did not write ours. */
const require = createRequire(import.meta.url)
const codec = require(join(dirname(require.resolve('amqplib')), 'lib/defs.js'))
const basicClass = 60
const beforeProperties = 19

type Plain = { readonly [K in keyof Options.Publish]?: Options.Publish[K] | undefined } & {
  readonly deliveryMode?: number | undefined
}

/** Properties as amqplib writes them: of a number it chooses the type, unless it is `{ '!': type, value }`. */
export const encodedBytes = (properties: Plain): Buffer => {
  const frame: Buffer = codec.encodeProperties(basicClass, 0, 0, properties)
  return frame.subarray(beforeProperties, -1)
}

export const encoded = (properties: Plain): Properties => new Properties(encodedBytes(properties))

/** The properties that there are, as amqplib reads them. */
export const decoded = (properties: Buffer): Partial<MessageProperties> =>
  Object.fromEntries(
    Object.entries(codec.decode(basicClass, properties)).filter(([, value]) => value !== undefined),
  ) as Partial<MessageProperties>

export type { Plain as PlainProperties }
