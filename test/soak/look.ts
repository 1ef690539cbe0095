import { setTimeout as delay } from 'node:timers/promises'
import { median } from '../../bench/figures.ts'
import { waybillIn } from '../cli/waybill.ts'
import { eventually } from '../support/wait.ts'
import { fill } from './fill.ts'
import { type Ground, growth } from './ground.ts'
import { atMost, figure, type Scenario, type Size } from './scenario.ts'
import { p99, span, startTraffic } from './traffic.ts'

const causeOf = (number: number) => (number % 3 === 0 ? 422 : 400)

/** One hundred thousand dead letters of 1 KiB are looked at. */
export const look: Scenario = {
  about: 'groups and lists of many dead letters: time, memory, and the latency of another Subscription',
  letters: 100_000,
  resyncInterval: '10s',
  async run(ground, size, say) {
    await ground.start()
    const idle = await ground.memory()
    say(`filling with ${size.letters}`)
    await fill(ground, size.letters, 1_024, causeOf)
    await delay(10_000)
    const filled = await ground.memory()
    say('starting again: how long until the status has its groups?')
    await ground.start()
    const before = { broker: filled.broker, waybill: idle.waybill }
    const { result: groupsS, ...grown } = await growth(ground, before, () => untilGroups(ground, size.letters))
    const { deadLetters } = (await ground.status()) ?? {}
    const counts = (deadLetters?.groups ?? []).map(({ count }) => count).toSorted((a, b) => b - a)
    const right = [size.letters - Math.ceil(size.letters / 3), Math.ceil(size.letters / 3)]
    const listed = await timed(() => ls(ground))
    const ratios = await beside(ground, size, say)
    return [
      atMost('groups in the status after', groupsS, 30, 's'),
      figure('their counts', counts.join(' + '), right.join(' + '), counts.join() === right.join()),
      atMost('dead-letters ls (groups) took', listed, 30, 's'),
      atMost('the broker grew by', grown.broker, 100, 'MiB'),
      atMost('Waybill grew by', grown.waybill, 100, 'MiB'),
      atMost('p99 of another Subscription, lists / none', median(ratios), 1.1, ''),
      figure('  each round', ratios.map((ratio) => ratio.toFixed(2)).join(' '), '', true),
    ]
  },
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

/** The ratio of p99 while lists are made one after the other to p99 without, in turn. */
const beside = async (
  ground: Ground,
  { rounds, live, answerMs }: Size,
  say: (line: string) => void,
): Promise<number[]> => {
  const traffic = startTraffic(ground, {
    ...{ topic: 'other', perSecond: live, answerMs, refuseOneOf: () => 0, otherwise: () => undefined },
  })
  await delay(5_000)
  const ratios: number[] = []
  const { url, headers } = ground.data()
  const request = `${url}/namespaces/shop/subscriptions/big/deadletters?limit=500`
  for (let round = 1; round <= rounds; round += 1) {
    const looking = () => span(async () => void (await (await fetch(request, { headers })).text()))
    const looked = await looking()
    await delay(2_000)
    const without = await span(() => delay(looked.to - looked.from))
    await delay(2_000)
    const [a, b] = [p99(traffic, [looked]), p99(traffic, [without])]
    say(
      `  round ${round}: p99 ${a.toFixed(1)} ms beside a list of ${(looked.to - looked.from).toFixed(0)} ms, ${b.toFixed(1)} ms without`,
    )
    ratios.push(a / b)
  }
  await traffic.stop()
  return ratios
}
