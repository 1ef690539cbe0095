import { setTimeout as delay } from 'node:timers/promises'
import { type ConfirmChannel, connect } from 'amqplib'
import { contentOf, type Recorder } from '../../history/recorder.ts'
import { encodedBytes } from '../../support/foreign-codec.ts'
import type { TopicName } from '../plan.ts'
import { messageAt } from './messages.ts'

export type PublisherOptions = {
  readonly seed: number
  readonly perSecond: number
  readonly recorder: Recorder
  exchangeOf(topic: TopicName): string
}

export type Publisher = {
  /** Publishes nothing more; resolves once the fate of each message is known. Returns how many there were. */
  stop(): Promise<number>
}

/**
 * Publishes at a steady rate: `publishOne` returns whether it could. In the end it waits for what is under way, up to 30 s, and
 * calls `end`.
 */
export const steadily = (
  perSecond: number,
  underWay: { readonly size: number },
  publishOne: () => boolean | Promise<boolean>,
  end: () => void,
): Publisher => {
  let isStopped = false
  let count = 0
  const run = async (): Promise<void> => {
    while (!isStopped) {
      if (await publishOne()) count += 1
      await delay(1_000 / perSecond)
    }
    for (let waited = 0; underWay.size > 0 && waited < 30_000; waited += 50) await delay(50)
    end()
  }
  const ended = run()
  return {
    async stop() {
      isStopped = true
      await ended
      return count
    },
  }
}

/** A producer that is no part of Waybill: it publishes at a steady rate, straight to the broker, and connects again when it must. */
export const startPublisher = (
  amqpUrl: string,
  { seed, perSecond, recorder, exchangeOf }: PublisherOptions,
): Publisher => {
  let index = 0
  const underWay = new Set<string>()
  const settle = (id: string, is: 'confirmed' | 'refused' | 'unknown'): void => {
    if (underWay.delete(id)) recorder.publishEnded(id, is)
  }

  const lost = (): void => {
    for (const id of [...underWay]) settle(id, 'unknown')
  }

  const open = async (): Promise<ConfirmChannel | undefined> => {
    try {
      const connection = await connect(amqpUrl, { timeout: 5_000 })
      connection.on('error', () => undefined)
      const channel = await connection.createConfirmChannel()
      channel.on('error', () => undefined)
      const closed = () => {
        lost()
        if (current === channel) current = undefined
      }
      channel.on('close', closed)
      connection.on('close', closed)
      channel.on('return', ({ properties }) => recorder.publishEnded(String(properties.messageId), 'returned'))
      return channel
    } catch {
      return undefined
    }
  }
  let current: ConfirmChannel | undefined

  const publish = (channel: ConfirmChannel): void => {
    const { id, topic, routingKey, body, options, isSendable, attributes } = messageAt(seed, index)
    const exchange = exchangeOf(topic)
    index += 1
    const digests = contentOf(body, encodedBytes({ ...options, deliveryMode: undefined }))
    const content = attributes === undefined ? digests : { ...digests, attributes }
    recorder.published(id, { exchange, routingKey, content, ...(isSendable === undefined ? {} : { isSendable }) })
    underWay.add(id)
    try {
      channel.publish(exchange, routingKey, body, options, (error) => settle(id, error ? 'refused' : 'confirmed'))
    } catch {
      settle(id, 'unknown')
    }
  }

  const publishOne = async (): Promise<boolean> => {
    current ??= await open()
    if (current === undefined || underWay.size >= 500) return false
    publish(current)
    return true
  }
  return steadily(perSecond, underWay, publishOne, lost)
}
