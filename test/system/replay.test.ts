import { replay } from '../../src/api/kinds/replay.ts'
import { subscription } from '../../src/api/kinds/subscription.ts'
import { describeWithHelm } from '../support/api-server.ts'
import { type ClusterShop, openClusterShop } from '../support/cluster-shop.ts'
import { standsBy, timesLed } from '../support/lease-lines.ts'
import { brokerOf, jobOf, subscriptionOf, topicOf } from '../support/manifests.ts'
import { type Subscriber, startSubscriber } from '../support/subscriber.ts'
import { eventually } from '../support/wait.ts'
import type { Command } from '../support/waybill.ts'

/** A Replay on Kubernetes, with the chart's permissions, whatever happens to the process that does it. */

const count = 300
const concurrency = 5
const dlq = 'waybill.dlq.shop.billing'

type Scene = {
  readonly shop: ClusterShop
  readonly subscriber: Subscriber
  readonly leader: Command
  readonly other: Command
  /** The `webhook-id`s at the first failure. */
  readonly ids: ReadonlySet<string>
  delivered(): string[]
  [Symbol.asyncDispose](): Promise<void>
}

const queueOf = ({ own }: ClusterShop): string => dlq.replace('shop', own.name)

/** Two dispatchers and so many dead letters. */
const openScene = async (letters = count): Promise<Scene> => {
  const cleanUp = new AsyncDisposableStack()
  const shop = cleanUp.use(await openClusterShop())
  const subscriber = cleanUp.adopt(await startSubscriber(), ({ close }) => close())
  subscriber.answer(400)
  await shop.own.apply([
    ...brokerOf(shop.vhost),
    topicOf('orders'),
    subscriptionOf('billing', 'orders', subscriber.url, { delivery: { concurrency: 50 } }),
  ])
  await shop.start('operator')
  const leader = await shop.start('dispatcher', { args: ['--allow-loopback', '--identity', 'first'] })
  await eventually(() => timesLed(leader) === 1)
  const other = await shop.start('dispatcher', { args: ['--allow-loopback', '--identity', 'second'] })
  await shop.condition(subscription, 'billing', 'Ready', 'True')
  const bodies = Array.from({ length: letters }, (_, index) => ({ routingKey: 'order.placed', body: `${index}` }))
  await shop.producer.publish(`${shop.own.name}.orders`, bodies)
  const dead = async () => (await shop.producer.channel.checkQueue(queueOf(shop))).messageCount
  await eventually(async () => (await dead()) === letters, { timeoutMs: 30_000 })
  const ids = new Set(subscriber.received.map(({ headers }) => String(headers['webhook-id'])))
  subscriber.received.length = 0
  // One in ten fails again.
  subscriber.answer(({ body }) => (Number(body.toString()) % 10 === 0 ? 500 : 204))
  return {
    ...{ shop, subscriber, leader, other, ids },
    delivered: () =>
      subscriber.received.filter(({ status }) => status === 204).map(({ headers }) => String(headers['webhook-id'])),
    [Symbol.asyncDispose]: () => cleanUp.disposeAsync(),
  }
}

/** The Replay is Complete, with figures that are true, and each message was delivered or is marked. */
const expectTruth = async ({ shop, subscriber, ids, delivered }: Scene, doubledAtMost: number): Promise<void> => {
  await eventually(async () => (await shop.condition(replay, 'again', 'Complete', 'True')) !== undefined, {
    timeoutMs: 90_000,
  })
  const status = (await shop.get(replay, 'again'))?.status
  expect(status).toMatchObject({ matched: count, delivered: (count * 9) / 10, failed: count / 10, left: 0 })
  expect(new Set(delivered()).size).toBe((count * 9) / 10)
  for (const id of delivered()) expect(ids).toContain(id)
  expect(subscriber.received.length - count).toBeLessThanOrEqual(doubledAtMost)
  // Of a message whose copy was stored right before the end there are two.
  await eventually(async () => {
    const { messageCount } = await shop.producer.channel.checkQueue(queueOf(shop))
    return messageCount >= count / 10 && messageCount <= count / 10 + doubledAtMost
  })
}

describeWithHelm('a Replay', () => {
  const spec = { rate: { requests: 100, ramp: false }, concurrency }

  test('kubectl apply and kubectl wait are all that it takes', async () => {
    await using scene = await openScene(500)
    const { shop, subscriber } = scene
    subscriber.answer(204)
    await shop.own.apply([jobOf('Replay', 'billing', { ...spec, canary: { messages: 3 } }, 'again')])
    await shop.own.kubectl(['wait', '--for=condition=Complete', 'replay/again', '--timeout=60s'])
    expect(new Set(scene.delivered())).toEqual(scene.ids)
    expect(subscriber.received).toHaveLength(500)
    // Events follow statuses.
    const reasons = async () => (await shop.events(replay, 'again')).map(({ reason }) => reason)
    await eventually(async () => (await reasons()).includes('Completed'))
    expect(await reasons()).toEqual(['Progressing', 'Completed'])
    await shop.own.apply([
      jobOf('Replay', 'billing', { ...spec, canary: { messages: 3 }, ttlAfterFinished: '1s' }, 'again'),
    ])
    await eventually(async () => (await shop.get(replay, 'again')) === undefined)
  }, 120_000)

  test('killed in the middle of it, another dispatcher goes on, and the figures are true', async () => {
    await using scene = await openScene()
    const { shop, subscriber, leader } = scene
    await shop.own.apply([jobOf('Replay', 'billing', spec, 'again')])
    await eventually(() => subscriber.received.length > 60, { everyMs: 2, timeoutMs: 30_000 })
    await leader.kill('SIGKILL')
    await expectTruth(scene, concurrency)
  }, 180_000)

  test('paused in the middle of it, it is replaced, and sends nothing more when it wakes but what was under way', async () => {
    await using scene = await openScene()
    const { shop, subscriber, leader, other } = scene
    await shop.own.apply([jobOf('Replay', 'billing', spec, 'again')])
    await eventually(() => subscriber.received.length > 60, { everyMs: 2, timeoutMs: 30_000 })
    process.kill(leader.pid, 'SIGSTOP')
    await eventually(() => timesLed(other) === 1, { timeoutMs: 40_000 })
    await expectTruth(scene, concurrency)
    const sent = subscriber.received.length
    process.kill(leader.pid, 'SIGCONT')
    await eventually(() => standsBy(leader), { timeoutMs: 30_000 })
    expect(subscriber.received.length - sent).toBeLessThanOrEqual(concurrency)
  }, 180_000)
})
