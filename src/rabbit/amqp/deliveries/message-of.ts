import type { Message } from '../../../delivery/message/message.ts'
import { Properties } from '../../../delivery/message/properties.ts'
import type { Delivered } from '../client/channel.ts'

/** The message that the client handed over. */
export const messageOf = ({ content, properties, exchange, routingKey, redelivered }: Delivered): Message => ({
  content,
  fields: { exchange, routingKey, redelivered },
  properties: new Properties(properties),
})

/** The same with bytes of its own. */
export const copyOf = ({ content, fields, properties }: Message): Message => ({
  content: Buffer.from(content),
  fields,
  properties: new Properties(Buffer.from(properties.raw)),
})
