import type { Properties } from './properties.ts'

/** A message as the AMQP client hands it to a consumer. Nothing is copied from it, so its buffers are the client's. */
export type Message = {
  readonly content: Buffer
  readonly fields: {
    readonly exchange: string
    readonly routingKey: string
    readonly redelivered: boolean
  }
  readonly properties: Properties
}
