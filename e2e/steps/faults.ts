import assert from 'node:assert/strict'
import { becomes, eventSays, resource } from '../conditions.ts'
import { brokerOf, listOf, type Manifest, secretOf, subscriptionOf, topicOf } from '../manifests.ts'
import { faults, podsOfWaybill, system } from '../names.ts'
import { ownNamespace } from '../own-namespace.ts'
import type { World } from '../world.ts'

const right = 'amqp://guest:guest@rabbitmq.shop.svc:5672'
/** A password that must not appear anywhere. */
const canary = 'canary-2f61c8'
const withinMs = 10_000
const broker = { namespace: faults, path: 'brokers/rabbitmq' }
const subscription = { namespace: faults, path: 'subscriptions/hopeful' }

/**
 * Every fault is reported within ten seconds and cleared within ten seconds of its repair. What a Secret holds is looked at when
 * its Broker changes, else once a minute, so each fault comes with a change of the Broker.
 */
export const brokenThings = async (world: World): Promise<void> => {
  const { cluster, proxy, report } = world
  report.section('Faults are reported in conditions and Events')
  await missingTopic(world)
  await becomes(proxy, broker, 'Ready', 'True', withinMs).catch(() => {})
  const breaks: Record<string, () => Promise<unknown>> = {
    'a wrong password': () => apply(cluster, secretOf(faults, right.replace(':guest@', `:${canary}@`))),
    'a deleted Secret': () => cluster.kubectl(['-n', faults, 'delete', 'secret', 'rabbitmq']),
    'a Secret without a valid URL': () => apply(cluster, secretOf(faults, canary)),
    'a host that does not exist': () => apply(cluster, secretOf(faults, right.replace('rabbitmq.shop', 'nobody.shop'))),
  }
  for (const [at, [what, breakIt]] of Object.entries(breaks).entries()) {
    await brokerFault(world, what, async () => {
      await breakIt()
      await apply(cluster, brokerOf(faults, { resyncInterval: `${61 + at}s` }))
    })
  }
  await report.step('an Event reports each change', async () => {
    const warned = await event(world, 'Broker', 'rabbitmq', 'Warning', /./)
    return `${warned}, ${await event(world, 'Broker', 'rabbitmq', 'Normal', /./)}`
  })
  await report.step('no password appears in statuses, Events or logs', async () => {
    const shown = [
      JSON.stringify(await resource(proxy, broker)),
      await proxy.text(`/api/v1/namespaces/${faults}/events`),
      await cluster.kubectl(['-n', system, 'logs', '-l', podsOfWaybill, '--tail=-1', '--prefix']),
    ]
    assert(!shown.some((text) => text.includes(canary)), 'the password appeared in a status, an Event or a log')
  })
  await report.step('the namespace with the faulty resources can be deleted within 60 s', async () => {
    await cluster.kubectl(['delete', 'namespace', faults, '--timeout=60s'])
  })
}

const missingTopic = async (world: World): Promise<void> => {
  const { cluster, proxy, report } = world
  await report.step('a Subscription to a missing Topic is reported within 10 s', async () => {
    await ownNamespace(cluster, faults)
    await apply(cluster, secretOf(faults, right), brokerOf(faults), subscriptionOf(faults, 'hopeful', 'nowhere'))
    const { took, condition } = await becomes(proxy, subscription, 'ResolvedRefs', 'False', withinMs)
    assert.match(condition.message, /nowhere/)
    const warned = await event(world, 'Subscription', 'hopeful', 'Warning', /nowhere/)
    return `${took}, ${condition.reason}, Event ${warned}`
  })
  await report.step('the Subscription becomes Ready within 10 s of the creation of the Topic', async () => {
    await apply(cluster, topicOf(faults, 'nowhere'))
    const { took } = await becomes(proxy, subscription, 'Ready', 'True', withinMs)
    return `${took}, Event ${await event(world, 'Subscription', 'hopeful', 'Normal', /./)}`
  })
}

/** Breaks the connection to the broker, and repairs it. */
const brokerFault = async (
  { cluster, proxy, report }: World,
  what: string,
  breakIt: () => Promise<unknown>,
): Promise<void> => {
  await report.step(`${what} is reported within 10 s`, async () => {
    await breakIt()
    const { took, condition } = await becomes(proxy, broker, 'Ready', 'False', withinMs)
    await becomes(proxy, subscription, 'Ready', 'False', withinMs)
    return `${took}, ${condition.reason}: ${condition.message}`
  })
  await report.step(`${what}: Ready again within 10 s of the repair`, async () => {
    await apply(cluster, secretOf(faults, right))
    const { took } = await becomes(proxy, broker, 'Ready', 'True', withinMs)
    await becomes(proxy, subscription, 'Ready', 'True', withinMs)
    return took
  })
}

const apply = (cluster: World['cluster'], ...items: readonly Manifest[]): Promise<string> =>
  cluster.kubectl(['apply', '-f', '-'], { input: listOf(...items) })

const event = (
  { proxy }: World,
  kind: string,
  name: string,
  type: 'Normal' | 'Warning',
  about: RegExp,
): Promise<string> =>
  eventSays(
    proxy,
    { namespace: faults, kind, name },
    (one) => one.type === type && about.test(`${one.reason} ${one.message}`),
  )
