import { setTimeout as delay } from 'node:timers/promises'
import { quantile } from '../../bench/figures.ts'
import { waybillIn } from '../cli/waybill.ts'
import { eventually } from '../support/wait.ts'
import { fill } from './fill.ts'
import { type Ground, growth } from './ground.ts'
import { atMost, figure, type Scenario, type Size } from './scenario.ts'
import { p99, type Span, span, startTraffic, type Traffic } from './traffic.ts'

const causeOf = (number: number) => (number % 3 === 0 ? 422 : 400)

/** One hundred thousand dead letters of 1 KiB are looked at. */
export const look: Scenario = {
  about: 'groups and lists of many dead letters: time, memory, and the latency of another Subscription',
  letters: 100_000,
  resyncInterval: '10s',
  async run(ground, size, say) {
    await ground.start()
    const idle = await ground.memory()
    const before = await operated(ground, size, shortMs, say)
    await ground.producer.channel.purgeQueue(ground.dlq)
    say(`filling with ${size.letters}`)
    await fill(ground, size.letters, 1_024, causeOf)
    await delay(10_000)
    const filled = await ground.memory()
    say('starting again: how long until the status has its groups?')
    await ground.start()
    const had = { broker: filled.broker, waybill: idle.waybill }
    const { result: groupsS, ...grown } = await growth(ground, had, () => untilGroups(ground, size.letters))
    const { deadLetters } = (await ground.status()) ?? {}
    const counts = (deadLetters?.groups ?? []).map(({ count }) => count).toSorted((a, b) => b - a)
    const right = [size.letters - Math.ceil(size.letters / 3), Math.ceil(size.letters / 3)]
    const listed = await timed(() => ls(ground))
    const lists = await beside(ground, size)
    const during = await operated(ground, size, longMs, say)
    await ground.producer.channel.purgeQueue(ground.dlq)
    const after = await operated(ground, size, shortMs, say)
    const without = quantile([...before, ...after], 0.99)
    return [
      atMost('groups in the status after', groupsS, 30, 's'),
      figure('their counts', counts.join(' + '), right.join(' + '), counts.join() === right.join()),
      atMost('dead-letters ls (groups) took', listed, 30, 's'),
      atMost('the broker grew by', grown.broker, 100, 'MiB'),
      atMost('Waybill grew by', grown.waybill, 100, 'MiB'),
      figure('p99 of another Subscription without them', `${without.toFixed(1)} ms`, '', true),
      figure('  while more of them come, and groups are listed', `${quantile(during, 0.99).toFixed(1)} ms`, '', true),
      atMost('  ratio', quantile(during, 0.99) / without, 1.1, ''),
      figure('  in the moments of a list of messages', `${lists.toFixed(1)} ms`, '', true),
    ]
  },
}

/** Messages of the other Subscription, all of which are taken. */
const trafficOfOther = (ground: Ground, { live, answerMs }: Size): Traffic =>
  startTraffic(ground, {
    ...{ topic: 'other', perSecond: live, answerMs, refuseOneOf: () => 0, otherwise: () => undefined },
  })

const shortMs = 60_000
const longMs = 240_000

/**
 * How long the messages of another Subscription take, in ms, while the status of this one is kept: a message fails each second, so
 * that there is always a reason to look again, and somebody lists the groups all the time.
 */
const operated = async (
  ground: Ground,
  size: Size,
  lastsMs: number,
  say: (line: string) => void,
): Promise<number[]> => {
  const failing = { ...{ topic: 'big' as const, perSecond: 1, answerMs: size.answerMs }, refuseOneOf: () => 1 }
  const same = startTraffic(ground, { ...failing, otherwise: () => undefined })
  const other = trafficOfOther(ground, size)
  await delay(5_000)
  const { from, to } = await span(async () => {
    for (const until = performance.now() + lastsMs; performance.now() < until; await delay(5_000)) await ground.status()
  })
  await same.stop()
  await other.stop()
  const took = other.between(from, to)
  const [p50, p99] = [quantile(took, 0.5), quantile(took, 0.99)]
  say(`  ${took.length} messages of the other: p50 ${p50.toFixed(1)} ms, p99 ${p99.toFixed(1)} ms`)
  return took
}

export const untilGroups = async (ground: Ground, count: number): Promise<number> =>
  timed(() =>
    eventually(async () => (await ground.status())?.deadLetters?.scanned === count, {
      ...{ timeoutMs: 300_000, everyMs: 200 },
    }),
  )

/** In seconds. */
export const timed = async (work: () => Promise<unknown>): Promise<number> => {
  const begun = performance.now()
  await work()
  return (performance.now() - begun) / 1_000
}

const ls = async (ground: Ground, ...args: string[]): Promise<string> => {
  const { env, url } = ground.data()
  const where = args.length === 0 ? ['--status-server', ground.waybill.server] : ['--server', url]
  const { code, out, err } = await waybillIn(env, 'dead-letters', 'ls', ...args, ...where)
  if (code !== 0) throw new Error(`ls ended with ${code}: ${err}`)
  return out
}

/** `dead-letters ls` of messages, and how many it printed. */
export const listOf = async (ground: Ground, limit: number): Promise<number> => {
  const out = await ls(ground, 'shop/big', '--limit', String(limit), '-o', 'jsonl')
  return out.trimEnd().split('\n').length
}

/** The p99 of another Subscription in ms while lists are made one after the other, of messages and not of groups. */
const beside = async (ground: Ground, size: Size): Promise<number> => {
  const { letters, rounds } = size
  const traffic = trafficOfOther(ground, size)
  await delay(5_000)
  const { url, headers } = ground.data()
  const request = `${url}/namespaces/shop/subscriptions/big/deadletters?limit=500`
  const spans: Span[] = []
  for (let round = 1; round <= rounds; round += 1) {
    // The answer is there long before the whole queue was read and has its messages again.
    const looked = await span(async () => {
      await (await fetch(request, { headers })).text()
      await eventually(async () => (await ground.ready()) === letters, { timeoutMs: 120_000, everyMs: 50 })
    })
    spans.push(looked)
    await delay(2_000)
  }
  await traffic.stop()
  return p99(traffic, spans)
}
