import type { Message } from '../../../delivery/message/message.ts'
import { Properties } from '../../../delivery/message/properties.ts'
import type { Delivered } from '../client/channel.ts'

/** The message that the client handed over. */
export const messageOf = ({ content, properties, exchange, routingKey, redelivered }: Delivered): Message => ({
  content,
  fields: { exchange, routingKey, redelivered },
  properties: new Properties(properties),
})
