import { subscriptionOf } from '../support/manifests.ts'
import { openShop } from '../support/shop.ts'
import { eventually } from '../support/wait.ts'

/** `WAYBILL_SCALE=10` makes it 50,000 messages. */
const count = 5_000 * Number(process.env.WAYBILL_SCALE ?? 1)
const kills = 10
const concurrency = 20
const isTenth = (id: string): boolean => id.endsWith('0')

test(
  `none of ${count} messages is lost when Waybill is killed ${kills} times and its connection cut, and few are delivered twice`,
  async () => {
    await using shop = await openShop()
    const subscriber = await shop.subscriber()
    const arrived = new Map<string, { times: number; webhookId: unknown }>()
    const turnedDown = new Set<string>()
    let misnamed = 0
    subscriber.answer(({ headers }) => {
      const id = String(headers['ce-id'])
      const known = arrived.get(id)
      // Every tenth is rejected once, so that copies are in flight whenever Waybill is killed.
      if (known === undefined && isTenth(id) && !turnedDown.has(id)) return turnDown(id)
      if (known !== undefined && known.webhookId !== headers['webhook-id']) misnamed += 1
      arrived.set(id, { times: (known?.times ?? 0) + 1, webhookId: headers['webhook-id'] })
      subscriber.received.length = 0
      return 200
    })
    const turnDown = (id: string): number => {
      turnedDown.add(id)
      return 503
    }
    const delivery = { concurrency, retry: { schedule: ['100ms', '1s'], maxAttempts: 100 } }
    shop.folder.write('billing', [subscriptionOf('billing', 'orders', subscriber.url, { delivery })])
    let waybill = await shop.run()
    await shop.ready(waybill, 'billing')

    const published: string[] = []
    const publishing = (async () => {
      for (let from = 0; from < count; from += 500) {
        published.push(...(await shop.publish(Array.from({ length: 500 }, (_, index) => ({ order: from + index })))))
      }
    })()
    for (let kill = 1; kill <= kills; kill += 1) {
      await eventually(() => arrived.size >= (kill * count) / (kills + 2), { timeoutMs: 60_000, everyMs: 2 })
      await waybill.kill('SIGKILL')
      waybill = await shop.run()
    }
    await eventually(() => arrived.size >= ((kills + 1) * count) / (kills + 2), { timeoutMs: 60_000, everyMs: 2 })
    shop.proxy.cut()
    await publishing
    await eventually(() => arrived.size === count, { timeoutMs: 60_000 })

    expect([...arrived.keys()].toSorted()).toEqual(published.toSorted())
    expect(misnamed).toBe(0)
    // At most the messages that the broker requeues after each fault.
    const twice = [...arrived.values()].reduce((sum, { times }) => sum + times - 1, 0)
    expect(twice).toBeLessThanOrEqual((kills + 1) * concurrency)
    await eventually(async () => {
      const { messageCount } = await shop.producer.channel.checkQueue('waybill.sub.shop.billing')
      return messageCount === 0
    })
    expect((await shop.producer.channel.checkQueue('waybill.dlq.shop.billing')).messageCount).toBe(0)
    expect((await shop.producer.channel.checkQueue('waybill.orphans')).messageCount).toBe(0)
  },
  60_000 + count * 20,
)
