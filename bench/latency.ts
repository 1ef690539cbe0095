import { setTimeout as delay } from 'node:timers/promises'
import { connect } from 'amqplib'
import type { Sink } from './sink.ts'

export type Steady = {
  readonly exchange: string
  readonly routingKey: string
  readonly perSecond: number
  readonly seconds: number
}

/** Publishes at a steady rate; resolves with the ms from publishing to arrival at the sink, for each message. */
export const latencies = async (amqpUrl: string, load: Steady, sink: Sink, signal: AbortSignal) => {
  const { exchange, routingKey, perSecond, seconds } = load
  const count = perSecond * seconds
  const found: number[] = []
  const all = Promise.withResolvers<void>()
  sink.receive((body) => {
    const { sentMs } = JSON.parse(body.toString()) as { sentMs: number }
    if (found.push(performance.now() - sentMs) === count) all.resolve()
  })
  const connection = await connect(amqpUrl)
  try {
    const channel = await connection.createConfirmChannel()
    const begunMs = performance.now()
    for (let sent = 0; sent < count; await delay(1, undefined, { signal })) {
      // After a late timer, all messages that are due are published at once, so the rate stays the same.
      for (const due = ((performance.now() - begunMs) / 1000) * perSecond; sent < Math.min(due, count); sent += 1) {
        const body = JSON.stringify({ sentMs: performance.now(), pad: 'x'.repeat(480) })
        channel.publish(exchange, routingKey, Buffer.from(body), { persistent: true, contentType: 'application/json' })
      }
    }
    await all.promise
    return found
  } finally {
    sink.receive(() => undefined)
    await connection.close()
  }
}
