import { broker } from '../../src/api/kinds/broker.ts'
import { subscription } from '../../src/api/kinds/subscription.ts'
import { topic } from '../../src/api/kinds/topic.ts'
import { isDeleting, type Resource } from '../../src/api/resource.ts'
import { type Stage, startStage } from '../support/in-process.ts'
import { brokerOf, subscriptionOf, topicOf } from '../support/manifests.ts'
import { connectProducer } from '../support/publish.ts'
import { eventually } from '../support/wait.ts'

const url = 'http://127.0.0.1:9/'
const slow = { timeoutMs: 60_000 }
let stage: Stage
beforeAll(async () => {
  stage = await startStage({ only: 'operator' })
})
afterAll(() => stage.close())

const queues = async (): Promise<string[]> => {
  const { vhost } = stage
  const all = (await vhost.manage('GET', `/queues/${vhost.name}?disable_stats=true`)) as { name: string }[]
  return all.map(({ name }) => name).sort()
}
const policies = async (): Promise<string[]> => {
  const { vhost } = stage
  return ((await vhost.manage('GET', `/policies/${vhost.name}`)) as { name: string }[]).map(({ name }) => name).sort()
}
const isGoing = (resource: Resource | undefined): boolean => resource === undefined || isDeleting(resource)
const of = (name: string): string[] => ['dlq', 'retry', 'sub'].map((what) => `waybill.${what}.shop.${name}`)

test('each Subscription is deleted by its deletion policy, and reclaims its queue when it is created again', async () => {
  const { folder, vhost, condition, get, logs } = stage
  const names = ['empty', 'full', 'retained', 'deleted', 'poisoned', 'again']
  const policy: Record<string, object> = {
    retained: { deletionPolicy: 'Retain' },
    deleted: { deletionPolicy: 'Delete' },
  }
  const all = names.map((name) => subscriptionOf(name, 'orders', url, policy[name] ?? {}))
  folder.write('base', [...brokerOf(vhost), topicOf('orders')])
  folder.write('subscriptions', all)
  for (const name of names) await condition(subscription, name, 'Programmed', 'True')
  const shared = (await queues()).filter((name) => !/^waybill\.(sub|retry|dlq)\./.test(name))
  const declared = await policies()

  const producer = await connectProducer(vhost.amqpUrl)
  const queuesWith = ['waybill.sub.shop.full', 'waybill.sub.shop.deleted', 'waybill.dlq.shop.poisoned']
  for (const queue of queuesWith) await producer.publish('', [{ routingKey: queue, body: 'kept' }])

  folder.delete('subscriptions')
  await eventually(async () => {
    expect(await queues()).toEqual([...of('full'), ...of('poisoned'), ...of('retained'), ...shared].sort())
    return true
  }, slow)
  for (const name of names) await eventually(() => get(subscription, name) === undefined, slow)
  await eventually(async () => (await policies()).join() === declared.join(), slow)
  const bindings = (await vhost.manage('GET', `/bindings/${vhost.name}`)) as { source: string; destination: string }[]
  const bound = bindings.filter(({ source }) => source === 'shop.orders').map(({ destination }) => destination)
  expect(bound).toEqual(['waybill.sub.shop.retained'])
  const recorded = logs()
    .split('\n')
    .find((line) => line.includes('Retained') && line.includes('shop/full'))
  for (const queue of of('full')) expect(recorded).toContain(`queue ${queue}`)

  folder.write('subscriptions', all.slice(1, 3))
  for (const name of ['full', 'retained']) await condition(subscription, name, 'Programmed', 'True')
  const [kept] = await producer.look('waybill.sub.shop.full')
  expect(kept?.content.toString()).toBe('kept')
  await producer.close()
})

test('queues that a deletion left because they held messages are deleted once they are empty', async () => {
  const own = await startStage({ only: 'operator' })
  try {
    const { folder, vhost, condition, get } = own
    const names = ['emptied', 'kept', 'retained']
    folder.write('base', [...brokerOf(vhost), topicOf('orders')])
    folder.write(
      'subscriptions',
      names.map((name) => subscriptionOf(name, 'orders', url, name === 'retained' ? { deletionPolicy: 'Retain' } : {})),
    )
    for (const name of names) await condition(subscription, name, 'Programmed', 'True')
    const producer = await connectProducer(vhost.amqpUrl)
    for (const name of names) await producer.publish('', [{ routingKey: `waybill.sub.shop.${name}`, body: 'kept' }])
    folder.delete('subscriptions')
    for (const name of names) await eventually(() => get(subscription, name) === undefined, slow)
    for (const name of ['emptied', 'retained']) await producer.channel.purgeQueue(`waybill.sub.shop.${name}`)
    await producer.close()
    const left = async (): Promise<string[]> => {
      const all = (await vhost.manage('GET', `/queues/${vhost.name}?disable_stats=true`)) as { name: string }[]
      return all.map(({ name }) => name).filter((name) => /^waybill\.(sub|retry|dlq)\./.test(name))
    }
    await eventually(async () => {
      expect((await left()).sort()).toEqual([...of('kept'), ...of('retained')].sort())
      return true
    }, slow)
  } finally {
    await own.close()
  }
})

test('a Subscription that is created again in the middle of its deletion is declared completely', async () => {
  const { folder, vhost, condition } = stage
  folder.write('base', [...brokerOf(vhost), topicOf('orders')])
  folder.write('again', [subscriptionOf('again', 'orders', url)])
  const { lastTransitionTime } = await condition(subscription, 'again', 'Programmed', 'True')
  expect(lastTransitionTime).toBeDefined()
  const first = stage.get(subscription, 'again')?.metadata.uid
  folder.delete('again')
  await eventually(async () => (await policies()).some((name) => name.includes('#seal:waybill.dlq.shop.again')))
  folder.write('again', [subscriptionOf('again', 'orders', url)])
  await eventually(() => stage.get(subscription, 'again')?.metadata.uid !== first, slow)
  await condition(subscription, 'again', 'Programmed', 'True')
  await eventually(async () => !(await policies()).some((name) => name.includes('#seal')), slow)
  const producer = await connectProducer(vhost.amqpUrl)
  await producer.publish('shop.orders', [{ body: 'arrives' }])
  expect(await producer.look('waybill.sub.shop.again')).toHaveLength(1)
  await producer.close()
})

test('a deleted Topic leaves its exchange and its unrouted messages, unless its policy is Delete', async () => {
  const { folder, vhost, condition, get } = stage
  folder.write('base', brokerOf(vhost))
  folder.write('topics', [topicOf('kept'), topicOf('gone', { deletionPolicy: 'Delete' })])
  for (const name of ['kept', 'gone']) await condition(topic, name, 'Ready', 'True')
  folder.delete('topics')
  for (const name of ['kept', 'gone']) await eventually(() => get(topic, name) === undefined)
  const left = ((await vhost.manage('GET', `/exchanges/${vhost.name}`)) as { name: string }[]).map(({ name }) => name)
  expect(left).toEqual(expect.arrayContaining(['shop.kept', 'waybill.unrouted.shop.kept']))
  expect(left).not.toEqual(expect.arrayContaining(['shop.gone']))
  expect(await queues()).not.toContain('waybill.unrouted.shop.gone')
})

test('resources deleted one after the other, Broker first, leave nothing on the broker', async () => {
  const own = await startStage({ only: 'operator' })
  try {
    const { folder, vhost, condition, get, logs } = own
    folder.write('broker', brokerOf(vhost))
    folder.write('topic', [topicOf('orders', { deletionPolicy: 'Delete' })])
    folder.write('subscription', [subscriptionOf('mail', 'orders', url)])
    await condition(subscription, 'mail', 'Programmed', 'True')
    const inTurn = [
      { file: 'broker', isGone: () => isGoing(get(broker, 'rabbitmq')) },
      { file: 'topic', isGone: () => isGoing(get(topic, 'orders')) },
      { file: 'subscription', isGone: () => isGoing(get(subscription, 'mail')) },
    ]
    for (const { file, isGone } of inTurn) {
      folder.delete(file)
      await eventually(isGone)
    }
    await eventually(() => get(subscription, 'mail') === undefined && get(topic, 'orders') === undefined, slow)
    const left = (await vhost.manage('GET', `/queues/${vhost.name}?disable_stats=true`)) as { name: string }[]
    expect(left.map(({ name }) => name)).not.toEqual(expect.arrayContaining([expect.stringContaining('shop.mail')]))
    expect(logs()).not.toContain('OrphanedTopology')
  } finally {
    await own.close()
  }
})
