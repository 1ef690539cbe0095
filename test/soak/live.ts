import { setTimeout as delay } from 'node:timers/promises'
import { median, quantile } from '../../bench/figures.ts'
import { eventually } from '../support/wait.ts'
import { fill } from './fill.ts'
import { atMost, endOf, figure, reasonOf, replayOf, type Scenario, startReplay } from './scenario.ts'
import { p99, type Span, span, startTraffic, type Traffic } from './traffic.ts'

const onMs = 10_000

/** A Replay while both Subscriptions have live messages, some of which fail; in turn it is suspended. */
export const live: Scenario = {
  about: 'a Replay beside live messages of the same and of another Subscription: their latency, and what is replayed',
  letters: 100_000,
  // So that a look for the status falls into few of the rounds: what it costs is measured by `look`.
  resyncInterval: '10m',
  async run(ground, { letters, rate, live: perSecond, rounds }, say) {
    await ground.start()
    say(`filling with ${letters}`)
    await fill(ground, letters, 1_024, () => 400)
    const delivered = new Map<number, number>()
    const otherwise = (body: Buffer): undefined => {
      const number = Number.parseInt(body.subarray(0, 8).toString(), 10)
      delivered.set(number, (delivered.get(number) ?? 0) + 1)
      return undefined
    }
    const same = startTraffic(ground, {
      topic: 'big',
      perSecond,
      refuseOneOf: Math.max(2, Math.round(perSecond / 50)),
      otherwise,
    })
    const other = startTraffic(ground, { topic: 'other', perSecond, refuseOneOf: 0, otherwise: () => undefined })
    await delay(5_000)
    const spec = { concurrency: 20, rate: { requests: rate, ramp: false } }
    const pairs: { on: Span; off: Span }[] = []
    const isOver = async () => (await replayOf(ground))?.status?.completionTime !== undefined
    for (let round = 1; round <= rounds && !(await isOver()); round += 1) {
      startReplay(ground, spec)
      const before = delivered.size
      while (delivered.size === before && !(await isOver())) await delay(50)
      const on = await span(() => delay(onMs))
      startReplay(ground, { ...spec, suspend: true })
      await delay(3_000)
      const off = await span(() => delay(onMs))
      pairs.push({ on, off })
      const each = [same, other].map((traffic) => [on, off].map((one) => p99(traffic, one).toFixed(1)).join(' / '))
      say(`  round ${round}: ${delivered.size} replayed; p99 in ms with / without: ${each.join(', of the other ')}`)
    }
    startReplay(ground, spec)
    const ended = await endOf(ground, say)
    await same.stop()
    await other.stop()
    const allArrived = () => same.missing() + other.missing() === 0
    await eventually(allArrived, { timeoutMs: 60_000 }).catch(() => undefined)
    const fresh = same.refusedAfter(Date.parse(ended.status?.cutoff ?? ''))
    const missing = same.missing() + other.missing()
    const twice = [...delivered.values()].filter((times) => times > 1).length
    const ratios = (traffic: Traffic) => pairs.map(({ on, off }) => p99(traffic, on) / p99(traffic, off))
    const spread = (numbers: number[]) => [0.25, 0.75].map((share) => quantile(numbers, share).toFixed(2)).join('–')
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
      atMost('p99 of the same Subscription, with / without', median(ratios(same)), 1.1, ''),
      figure('  quartiles', spread(ratios(same)), '', true),
      atMost('p99 of another Subscription, with / without', median(ratios(other)), 1.1, ''),
      figure('  quartiles', spread(ratios(other)), '', true),
    ]
  },
}
