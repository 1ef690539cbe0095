import { connect, type Options } from 'amqplib'
import type { Style } from './contender.ts'

export type Backlog = {
  readonly exchange: string
  readonly routingKey: string
  readonly style: Style
  readonly count: number
  readonly bytes?: number
}

/** Publishes persistent messages of the same size, and resolves once the broker has confirmed them all. */
export const fill = async (amqpUrl: string, { exchange, routingKey, style, count, bytes = 512 }: Backlog) => {
  const connection = await connect(amqpUrl)
  try {
    const channel = await connection.createConfirmChannel()
    channel.on('error', () => undefined)
    const data = JSON.stringify({ pad: 'x'.repeat(bytes - '{"pad":""}'.length) })
    for (let number = 0; number < count; number += 1) {
      const { content, options } = eventOf(`event-${number}`, data, style)
      const isRoom = channel.publish(exchange, routingKey, content, options)
      if (!isRoom) await new Promise((resolve) => channel.once('drain', resolve))
    }
    await channel.waitForConfirms()
  } finally {
    await connection.close()
  }
}

const eventOf = (id: string, data: string, style: Style): { content: Buffer; options: Options.Publish } => {
  const attributes = { specversion: '1.0', id, source: '/bench', type: 'order.placed', time: '2026-01-01T00:00:00Z' }
  const common = { persistent: true, messageId: id, type: attributes.type }
  if (style === 'structured') {
    const context = JSON.stringify({ ...attributes, datacontenttype: 'application/json' })
    const content = Buffer.from(`${context.slice(0, -1)},"data":${data}}`)
    return { content, options: { ...common, contentType: 'application/cloudevents+json' } }
  }
  const headers = Object.fromEntries(Object.entries(attributes).map(([name, value]) => [style + name, value]))
  return { content: Buffer.from(data), options: { ...common, headers, contentType: 'application/json' } }
}
