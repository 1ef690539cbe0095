import { type ConfirmChannel, connect, type GetMessage, IllegalOperationError, type Options } from 'amqplib'

export type Outgoing = {
  readonly routingKey?: string
  readonly body: Buffer | string | object
  readonly options?: Options.Publish
}

export type Producer = {
  readonly channel: ConfirmChannel
  /** Publishes persistently and resolves once the broker has confirmed all of them; the message ids, in order. */
  publish(exchange: string, messages: readonly Outgoing[]): Promise<string[]>
  /**
   * Reads all messages of a queue. They stay unacknowledged, so the broker requeues them when the producer is closed.
   */
  look(queue: string): Promise<GetMessage[]>
  close(): Promise<void>
}

let published = 0

/** A typical producer, with publisher confirms. A body that is an object is sent as JSON. */
export const connectProducer = async (amqpUrl: string): Promise<Producer> => {
  const connection = await connect(amqpUrl)
  // A publisher that waits for a confirm gets the error.
  connection.on('error', () => {})
  const channel = await connection.createConfirmChannel()
  return {
    channel,
    async publish(exchange, messages) {
      const ids = messages.map(({ routingKey = '', body, options }) => {
        const messageId = options?.messageId ?? `message-${process.pid}-${++published}`
        const json = typeof body === 'object' && !Buffer.isBuffer(body)
        const content = Buffer.isBuffer(body) ? body : Buffer.from(json ? JSON.stringify(body) : (body as string))
        const contentType = json ? { contentType: 'application/json' } : {}
        channel.publish(exchange, routingKey, content, { persistent: true, ...contentType, ...options, messageId })
        return messageId
      })
      await channel.waitForConfirms()
      return ids
    },
    async look(queue) {
      const messages: GetMessage[] = []
      for (;;) {
        const message = await channel.get(queue)
        if (message === false) return messages
        messages.push(message)
      }
    },
    async close() {
      try {
        await connection.close()
      } catch (error) {
        // The broker may have closed the connection before.
        if (!(error instanceof IllegalOperationError)) throw error
      }
    },
  }
}

/** Publishes with confirms over a connection of its own; the message ids, in order. */
export const publish = async (amqpUrl: string, exchange: string, messages: readonly Outgoing[]): Promise<string[]> => {
  const producer = await connectProducer(amqpUrl)
  try {
    return await producer.publish(exchange, messages)
  } finally {
    await producer.close()
  }
}
