import { isTrue } from '../../src/api/conditions.ts'
import { subscription } from '../../src/api/kinds/subscription.ts'
import { type Effect, effects } from '../../src/async/effects.ts'
import { dyingAt, keepRunning } from '../support/keep-running.ts'
import { deadLetterPolicyOf, subscriptionOf } from '../support/manifests.ts'
import { openShop, type Shop } from '../support/shop.ts'
import type { Answer, Subscriber } from '../support/subscriber.ts'
import { eventually } from '../support/wait.ts'
import { runWaybill } from '../support/waybill.ts'

/**
 * Those that only a process on Kubernetes has; and a deletion, which only there is finished by the next process: files do not
 * say what they held before. See cluster.test.ts.
 */
const elsewhere: ReadonlySet<Effect> = new Set([
  ...(['status-written', 'finalizer-written', 'lease-claimed', 'lease-released'] as const),
  ...(['queue-plugged', 'delete-queue', 'delete-exchange'] as const),
  // Of Replays and looks at dead letters: system/replay.test.ts kills in the middle of one.
  ...(['letter-removed', 'letters-requeued', 'resource-deleted'] as const),
])

/** Fails once, is refused, fails for ever, or is fine, as the message says. */
const answerTo = (body: string, attempt: number): number | Answer =>
  body.startsWith('flaky') && attempt === 1
    ? 503
    : body.startsWith('refused')
      ? 422
      : body.startsWith('failing')
        ? 500
        : 204

/** What a whole life of some resources leaves behind. */
const life = async (env: NodeJS.ProcessEnv = {}) => {
  await using shop = await openShop()
  const billing = await shop.subscriber()
  const attemptOf = ({ headers }: Subscriber['received'][number]) => Number(headers['waybill-attempt'])
  let isHolding = false
  billing.answer((one) => {
    const body = one.body.toString()
    return isHolding && body.startsWith('held') ? 'hang' : answerTo(body, attemptOf(one))
  })
  const delivery = { retry: { schedule: ['200ms'], maxAttempts: 2 } }
  const write = (keys: readonly string[], retention: object) =>
    shop.folder.write('life', [
      deadLetterPolicyOf('kept', { default: true, retention }),
      subscriptionOf('billing', 'orders', billing.url, { delivery, filter: { routingKeys: keys } }),
    ])
  write(['order.*', 'mail.*'], { maxLength: 1_000 })
  const args = ['--drain-timeout', '1s']
  const process = await keepRunning((env) => runWaybill(shop.folder.path, { env, args }), env)
  try {
    const ready = () =>
      eventually(
        async () => isTrue((await process.current.get(subscription, 'billing'))?.status?.conditions, 'Ready'),
        { timeoutMs: 60_000, everyMs: 50 },
      )
    await ready()
    await shop.publish(['fine 1', 'flaky 1', 'refused 1', 'failing 1', 'fine 2', 'flaky 2'])
    await eventually(async () => (await letterCount(shop)) >= 2, { timeoutMs: 60_000, everyMs: 100 })
    await eventually(() => delivered(billing).size === 4, { timeoutMs: 60_000 })

    write(['order.placed'], {})
    await eventually(async () => (await policiesOf(shop)).every((one) => !one.includes('max-length')), {
      ...{ timeoutMs: 60_000, everyMs: 200 },
    })
    await eventually(async () => (await bindingsOf(shop)).every((one) => !one.includes('mail')), {
      ...{ timeoutMs: 60_000, everyMs: 200 },
    })

    isHolding = true
    await shop.publish(['held 1'])
    await eventually(() => billing.received.some(({ body }) => body.toString() === 'held 1'), { timeoutMs: 60_000 })
    isHolding = false
    await process.restart()
    await eventually(() => delivered(billing).size === 5, { timeoutMs: 60_000 })
    await ready()
    await eventually(async () => (await restOf(shop)) === 0, { timeoutMs: 60_000, everyMs: 100 })
    return {
      deaths: process.deaths,
      end: {
        ...{ queues: await namesOf(shop, 'queues'), exchanges: await namesOf(shop, 'exchanges') },
        ...{ bindings: await bindingsOf(shop), policies: await policiesOf(shop), letters: await lettersOf(shop) },
      },
      times: [...delivered(billing).values()],
    }
  } finally {
    await process.end()
  }
}

/** How often each message was answered 2xx. */
const delivered = ({ received }: Subscriber): Map<string, number> => {
  const times = new Map<string, number>()
  for (const { body, status } of received) {
    if (status === 204) times.set(body.toString(), (times.get(body.toString()) ?? 0) + 1)
  }
  return times
}

type Listed = { readonly name: string; readonly vhost: string; readonly [field: string]: unknown }
const list = async ({ vhost }: Shop, what: string): Promise<Listed[]> =>
  (await vhost.manage('GET', `/${what}/${vhost.name}`)) as Listed[]
const namesOf = async (shop: Shop, what: 'queues' | 'exchanges'): Promise<string[]> =>
  (await list(shop, what)).map(({ name }) => name).toSorted()
const bindingsOf = async (shop: Shop): Promise<string[]> =>
  (await list(shop, 'bindings'))
    .map(({ source, destination, routing_key: key }) => `${source} → ${destination} ${key}`)
    .toSorted()
const policiesOf = async (shop: Shop): Promise<string[]> =>
  (await list(shop, 'policies'))
    .map(({ name, pattern, priority, definition }) => JSON.stringify([name, pattern, priority, definition]))
    .toSorted()

const dead = 'waybill.dlq.shop.billing'
const letterCount = async ({ producer }: Shop): Promise<number> =>
  (await producer.channel.checkQueue(dead)).messageCount
const lettersOf = async ({ producer }: Shop): Promise<string[]> => {
  // A dispatcher that looks at them has them in hand for a moment.
  const letters = await eventually(async () => {
    const found = await producer.look(dead)
    if (found.length >= 2) return found
    producer.channel.nackAll(true)
    return undefined
  })
  // A copy that was stored twice is one letter more, of the same message.
  return [
    ...new Set(letters.map(({ content, properties }) => `${content} ${properties.headers?.['waybill-reason']}`)),
  ].sort()
}

const restOf = async (shop: Shop): Promise<number> => {
  let rest = 0
  for (const name of await namesOf(shop, 'queues'))
    if (/\.(sub|retry|delay)\./.test(name)) rest += (await shop.producer.channel.checkQueue(name)).messageCount
  return rest
}

const moments = effects
  .filter((effect) => !elsewhere.has(effect))
  .flatMap((effect) => (['before', 'after'] as const).map((when) => `${effect}:${when}`))

describe('killed at any moment, Waybill ends in the state of a life that nothing disturbed', () => {
  let undisturbed: Promise<Awaited<ReturnType<typeof life>>>
  beforeAll(() => {
    undisturbed = life()
    return undisturbed
  }, 120_000)

  test('an undisturbed life delivers each message once', async () => {
    const { deaths, times, end } = await undisturbed
    expect(deaths).toBe(0)
    expect(times).toEqual([1, 1, 1, 1, 1])
    expect(end.letters).toEqual(['failing 1 Exhausted', 'refused 1 Rejected'])
  })

  test.concurrent.each(moments)(
    '%s',
    async (moment) => {
      const isOften = /^(message-taken|request-sent|copy-|declare-queue)/.test(moment)
      const { deaths, times, end } = await life(dyingAt(moment, isOften ? 3 : 1))
      expect(deaths).toBe(1)
      expect(end).toEqual((await undisturbed).end)
      for (const count of times) expect(count).toBeLessThanOrEqual(2)
    },
    240_000,
  )
})
