import { setTimeout as delay } from 'node:timers/promises'
import { isTrue } from '../../src/api/conditions.ts'
import { subscription } from '../../src/api/kinds/subscription.ts'
import { apiServer, describeWithHelm } from '../support/api-server.ts'
import { type ClusterShop, openClusterShop } from '../support/cluster-shop.ts'
import { freePort } from '../support/free-port.ts'
import { type FaultyProxy, faultyProxy } from '../support/kubernetes/faulty-proxy.ts'
import { timesLed } from '../support/lease-lines.ts'
import { brokerOf, subscriptionOf, topicOf } from '../support/manifests.ts'
import { startSubscriber } from '../support/subscriber.ts'
import { eventually } from '../support/wait.ts'
import type { Command } from '../support/waybill.ts'

describeWithHelm('two dispatchers', () => {
  test('two dispatchers deliver every message and one writes the status when either is paused, killed or stopped', async () => {
    await using shop = await openClusterShop()
    await using cleanUp = new AsyncDisposableStack()
    const { own, vhost, producer } = shop
    const subscriber = cleanUp.adopt(await startSubscriber(), ({ close }) => close())
    subscriber.answer(() => ({ status: 200, afterMs: 10 }))
    const ports = [await freePort(), await freePort()]
    const peers = ports.flatMap((port) => ['--peers', `127.0.0.1:${port}`])
    const startReplica = async (index: number): Promise<{ command: Command; api: FaultyProxy }> => {
      const api = cleanUp.adopt(await faultyProxy(apiServer()), ({ close }) => close())
      const listen = `127.0.0.1:${ports[index]}`
      const args = ['--identity', `replica-${index}`, '--allow-loopback', ...peers]
      return { api, command: await shop.start('dispatcher', { listen, args, through: api.cluster().server }) }
    }
    const delivery = { concurrency: 4, retry: { schedule: ['1s'] } }
    await own.apply([
      ...brokerOf(vhost, { resyncInterval: '1h' }),
      topicOf('orders', { exchange: { name: 'orders' } }),
      subscriptionOf('billing', 'orders', subscriber.url, { delivery }),
    ])
    await shop.start('operator')
    const first = await startReplica(0)
    await eventually(() => timesLed(first.command) === 1)
    const second = await startReplica(1)
    await shop.condition(subscription, 'billing', 'Ready', 'True')
    const queue = `waybill.sub.${own.name}.billing`
    await eventually(async () => (await producer.channel.checkQueue(queue)).consumerCount === 2)

    const published: string[] = []
    const publish = async (count: number): Promise<void> => {
      const message = { routingKey: 'order.placed', body: 'x' }
      published.push(
        ...(await producer.publish(
          'orders',
          Array.from({ length: count }, () => message),
        )),
      )
    }
    const delivered = async () => (await shop.get(subscription, 'billing'))?.status?.delivery?.delivered ?? 0
    const counts = async (least: number): Promise<void> => {
      await eventually(
        async () => {
          const now = await delivered()
          if (now < least) throw new Error(`the status counts ${now} deliveries, expected at least ${least}`)
          return true
        },
        { timeoutMs: 60_000 },
      )
    }
    const received = () => new Set(subscriber.received.map(({ headers }) => String(headers['ce-id'])))
    const writes = ({ api }: { api: FaultyProxy }) => api.count('patch', '/status')
    /** From now on until the end of the test. */
    const watch = cleanUp.use(watchForNotDelivering(shop))

    await publish(60)
    await eventually(async () => (await delivered()) === 60, { timeoutMs: 60_000 })
    expect(writes(second)).toBe(0)

    // The paused leader holds messages and the lease.
    const before = writes(first)
    process.kill(first.command.pid, 'SIGSTOP')
    await publish(20)
    await eventually(() => timesLed(second.command) === 1, { timeoutMs: 60_000 })
    const written = first.api.seen.length
    process.kill(first.command.pid, 'SIGCONT')
    await eventually(() => received().size === published.length, { timeoutMs: 60_000 })
    await eventually(async () => (await delivered()) === 80, { timeoutMs: 60_000 })
    expect(first.api.seen.slice(written).filter(({ verb }) => verb === 'patch')).toEqual([])
    expect(writes(first)).toBe(before)
    expect(writes(second)).toBeGreaterThan(0)

    // Now the other one, which leads, is killed while it delivers.
    const publishing = publish(200)
    await eventually(() => received().size > 100)
    await second.command.kill('SIGKILL')
    await publishing
    await eventually(() => timesLed(first.command) === 2, {
      timeoutMs: 60_000,
    })
    await eventually(() => received().size === published.length, { timeoutMs: 60_000 })
    // Deliveries of the killed one after its last snapshot are not counted.
    await counts(200)

    // A leader that stops gracefully is replaced by one that started later and receives the counts of all deliveries.
    const third = await startReplica(1)
    await eventually(async () => (await producer.channel.checkQueue(queue)).consumerCount === 2)
    const at = await delivered()
    await publish(100)
    await eventually(() => received().size > 300)
    expect(await first.command.kill('SIGTERM')).toBe(0)
    await eventually(() => timesLed(third.command) === 1, { timeoutMs: 30_000 })
    await eventually(() => received().size === published.length, { timeoutMs: 60_000 })
    await counts(at + 90)
    await shop.condition(subscription, 'billing', 'Delivering', 'True')
    expect(watch.found).toEqual([])
    expect(received()).toEqual(new Set(published))
    for (const { command } of [first, third])
      for (const line of command.logs().trimEnd().split('\n')) expect(JSON.parse(line).level).not.toBe('error')
  }, 240_000)
})

/** Polls the subscription, and collects every status whose condition Delivering is not True. */
const watchForNotDelivering = ({ get }: ClusterShop): AsyncDisposable & { readonly found: readonly object[] } => {
  const found: object[] = []
  let looking = true
  const look = async (): Promise<void> => {
    for (; looking; await delay(20)) {
      const status = (await get(subscription, 'billing'))?.status
      if (!isTrue(status?.conditions, 'Delivering')) found.push({ status })
    }
  }
  const looked = look()
  return {
    found,
    async [Symbol.asyncDispose]() {
      looking = false
      await looked
    },
  }
}
