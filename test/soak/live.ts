import { setTimeout as delay } from 'node:timers/promises'
import { eventually } from '../support/wait.ts'
import { fill } from './fill.ts'
import type { Ground } from './ground.ts'
import { atMost, endOf, figure, reasonOf, replayOf, type Scenario, startReplay } from './scenario.ts'
import { p99, type Span, span, startTraffic, type Traffic } from './traffic.ts'

const onMs = 10_000

/** A Replay while both Subscriptions have live messages, some of which fail; in turn it is suspended. */
export const live: Scenario = {
  about: 'a Replay beside live messages of the same and of another Subscription: their latency, and what is replayed',
  letters: 100_000,
  // So that a look for the status falls into few of the rounds: what it costs is measured by `look`.
  resyncInterval: '10m',
  async run(ground, { letters, rate, live: perSecond, rounds, answerMs }, say) {
    await ground.start()
    say(`filling with ${letters}`)
    await fill(ground, letters, 1_024, () => 400)
    const delivered = new Map<number, number>()
    const otherwise = (body: Buffer): undefined => {
      const number = Number.parseInt(body.subarray(0, 8).toString(), 10)
      delivered.set(number, (delivered.get(number) ?? 0) + 1)
      return undefined
    }
    let isReplaying = false
    // While it is suspended nothing fails: each new dead letter would ask for a look at all of them.
    const refuseOneOf = () => (isReplaying ? Math.max(2, Math.round(perSecond / 10)) : 0)
    const each = { perSecond, answerMs }
    const same = startTraffic(ground, { topic: 'big', ...each, refuseOneOf, otherwise })
    const other = startTraffic(ground, { topic: 'other', ...each, refuseOneOf: () => 0, otherwise: () => undefined })
    const spec = { concurrency: 20, rate: { requests: rate, ramp: false } }
    const spans: Spans = { on: [], off: [] }
    const isOver = async () => (await replayOf(ground))?.status?.completionTime !== undefined
    await untilLooked(ground)
    spans.off.push(await span(() => delay(onMs)))
    for (let round = 1; round <= rounds && !(await isOver()); round += 1) {
      startReplay(ground, spec)
      isReplaying = true
      const before = delivered.size
      while (delivered.size === before && !(await isOver())) await delay(50)
      spans.on.push(await span(() => delay(onMs)))
      startReplay(ground, { ...spec, suspend: true })
      isReplaying = false
      await untilLooked(ground)
      spans.off.push(await span(() => delay(onMs)))
      const of = (traffic: Traffic) =>
        [spans.on, spans.off].map((all) => p99(traffic, all.slice(-1)).toFixed(1)).join(' / ')
      say(
        `  round ${round}: ${delivered.size} replayed; p99 in ms with / without: ${of(same)}, of the other ${of(other)}`,
      )
    }
    isReplaying = true
    startReplay(ground, spec)
    const ended = await endOf(ground, say)
    await same.stop()
    await other.stop()
    const allArrived = () => same.missing() + other.missing() === 0
    await eventually(allArrived, { timeoutMs: 60_000 }).catch(() => undefined)
    const fresh = same.refusedAfter(Date.parse(ended.status?.cutoff ?? ''))
    const missing = same.missing() + other.missing()
    const twice = [...delivered.values()].filter((times) => times > 1).length
    return [
      figure('the Replay', reasonOf(ended), 'Complete Completed', reasonOf(ended).startsWith('Complete Completed')),
      figure('dead letters delivered', delivered.size, String(letters), delivered.size === letters),
      figure('  more than once', twice, '0', twice === 0),
      figure(
        'requests for live messages that failed after it began',
        fresh.requests,
        String(fresh.messages),
        fresh.requests === fresh.messages,
      ),
      figure('live messages that did not arrive', missing, '0', missing === 0),
      ...latency('the same Subscription', same, spans),
      ...latency('another Subscription', other, spans),
    ]
  },
}

type Spans = { readonly on: Span[]; readonly off: Span[] }

const latency = (of: string, traffic: Traffic, { on, off }: Spans) => {
  const [beside, alone] = [p99(traffic, on), p99(traffic, off)]
  return [
    figure(`p99 of ${of} without the Replay`, `${alone.toFixed(1)} ms`, '', true),
    figure('  with it', `${beside.toFixed(1)} ms`, '', true),
    atMost('  ratio', beside / alone, 1.1, ''),
  ]
}

/** Looks follow one another within so many ms. */
const quietMs = 15_000

/** Waits until the dead letters are not looked at any more: while they are, none are ready, and then their status changes. */
const untilLooked = (ground: Ground): Promise<unknown> => {
  let before = ''
  let since = performance.now()
  const isQuiet = async (): Promise<boolean> => {
    const { deadLetters } = (await ground.status()) ?? {}
    const now = JSON.stringify([deadLetters, await ground.ready()])
    if (now !== before) since = performance.now()
    before = now
    return performance.now() - since > quietMs
  }
  return eventually(isQuiet, { timeoutMs: 180_000, everyMs: 200 })
}
