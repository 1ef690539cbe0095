import { setTimeout as delay } from 'node:timers/promises'
import { waybillIn } from '../cli/waybill.ts'
import { eventually } from '../support/wait.ts'
import { fill } from './fill.ts'
import { type Ground, growth } from './ground.ts'
import { atMost, figure, type Scenario, type Size } from './scenario.ts'
import { p99, type Span, span, startTraffic } from './traffic.ts'

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
    const p99s = await beside(ground, size, say)
    return [
      atMost('groups in the status after', groupsS, 30, 's'),
      figure('their counts', counts.join(' + '), right.join(' + '), counts.join() === right.join()),
      atMost('dead-letters ls (groups) took', listed, 30, 's'),
      atMost('the broker grew by', grown.broker, 100, 'MiB'),
      atMost('Waybill grew by', grown.waybill, 100, 'MiB'),
      figure('p99 of another Subscription without lists', `${p99s.without.toFixed(1)} ms`, '', true),
      figure('  with them', `${p99s.looked.toFixed(1)} ms`, '', true),
      atMost('  ratio', p99s.looked / p99s.without, 1.1, ''),
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

/** In ms, while lists are made one after the other, and without them, in turn. */
const beside = async (
  ground: Ground,
  size: Size,
  say: (line: string) => void,
): Promise<{ readonly looked: number; readonly without: number }> => {
  const { rounds, live, answerMs } = size
  const traffic = startTraffic(ground, {
    ...{ topic: 'other', perSecond: live, answerMs, refuseOneOf: () => 0, otherwise: () => undefined },
  })
  await delay(5_000)
  const { url, headers } = ground.data()
  const request = `${url}/namespaces/shop/subscriptions/big/deadletters?limit=500`
  const isBack = async () => (await ground.ready()) === size.letters
  // The answer is there long before the whole queue was read and has its messages again.
  const look = async () => {
    await (await fetch(request, { headers })).text()
    await untilTrue(isBack)
  }
  const spans: { readonly looked: Span[]; readonly without: Span[] } = { looked: [], without: [] }
  for (let round = 1; round <= rounds; round += 1) {
    const looked = await span(look)
    await delay(2_000)
    const lastsMs = looked.to - looked.from
    const until = performance.now() + lastsMs
    const without = await span(() => untilTrue(async () => (await isBack()) && performance.now() >= until))
    await delay(2_000)
    spans.looked.push(looked)
    spans.without.push(without)
    const [a, b] = [p99(traffic, [looked]), p99(traffic, [without])]
    say(
      `  round ${round}: p99 ${a.toFixed(1)} ms beside a look of ${lastsMs.toFixed(0)} ms, ${b.toFixed(1)} ms without`,
    )
  }
  await traffic.stop()
  const [looked, without] = [p99(traffic, spans.looked), p99(traffic, spans.without)]
  return { looked, without }
}

const untilTrue = (condition: () => Promise<boolean>) => eventually(condition, { timeoutMs: 120_000, everyMs: 50 })
