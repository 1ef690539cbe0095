import { setTimeout as delay } from 'node:timers/promises'
import { quantile } from '../../bench/figures.ts'
import type { Ground } from './ground.ts'

export type Traffic = {
  /** In ms, from publication to answer, of what was published between two times, on the clock of `performance.now()`. */
  between(from: number, to: number): number[]
  /** How many were published and did not arrive. */
  missing(): number
  /** Those that were refused after a time, in ms since 1970: how many, and how many requests there were for them. */
  refusedAfter(time: number): { readonly messages: number; readonly requests: number }
  stop(): Promise<void>
}

type Load = {
  readonly topic: 'big' | 'other'
  readonly perSecond: number
  /** How long the subscriber needs for each message, also for those that are no live ones. */
  readonly answerMs: number
  /** One of so many is refused, and becomes a dead letter; none where it is 0. */
  refuseOneOf(): number
  /** Called with each other body. */
  otherwise(body: Buffer): 'refuse' | undefined
}

/** Publishes at a steady rate, and takes the time until each message is answered. */
export const startTraffic = (ground: Ground, { topic, perSecond, answerMs, refuseOneOf, otherwise }: Load): Traffic => {
  const { producer, sinks } = ground
  const found: { readonly sent: number; readonly tookMs: number }[] = []
  const stopping = new AbortController()
  const arrived = new Set<number>()
  const refused = new Map<number, { readonly at: number; times: number }>()
  let published = 0
  sinks[topic].receive(async (body) => {
    await delay(answerMs)
    if (body[0] !== 0x7b) return otherwise(body)
    const { sent, number } = JSON.parse(body.toString()) as { sent: number; number: number }
    found.push({ sent, tookMs: performance.now() - sent })
    arrived.add(number)
    const oneOf = refuseOneOf()
    if (oneOf === 0 || number % oneOf !== 0) return undefined
    const before = refused.get(number)
    if (before) before.times += 1
    else refused.set(number, { at: Date.now(), times: 1 })
    return 'refuse'
  })
  const begun = performance.now()
  const publishing = (async () => {
    for (; !stopping.signal.aborted; await delay(2)) {
      for (const due = ((performance.now() - begun) / 1_000) * perSecond; published < due; published += 1) {
        const body = JSON.stringify({ sent: performance.now(), number: published, pad: 'x'.repeat(400) })
        producer.channel.publish(`shop.${topic}`, '', Buffer.from(body), { persistent: true })
      }
    }
    await producer.channel.waitForConfirms()
  })()
  return {
    between: (from, to) => found.filter(({ sent }) => sent >= from && sent < to).map(({ tookMs }) => tookMs),
    missing: () => published - arrived.size,
    refusedAfter(time) {
      const all = [...refused.values()].filter(({ at }) => at > time)
      return { messages: all.length, requests: all.reduce((sum, { times }) => sum + times, 0) }
    },
    async stop() {
      stopping.abort()
      await publishing
    },
  }
}

export type Span = { readonly from: number; readonly to: number }

export const span = async (work: () => Promise<unknown>): Promise<Span> => {
  const from = performance.now()
  await work()
  return { from, to: performance.now() }
}

/** Of all that was published in one of the spans, in ms. */
export const p99 = (traffic: Traffic, spans: readonly Span[]): number =>
  quantile(
    spans.flatMap(({ from, to }) => traffic.between(from, to)),
    0.99,
  )
