import assert from 'node:assert/strict'
import { becomes, eventSays, resource } from '../conditions.ts'
import { brokerOf, listOf, type Manifest, secretOf, subscriptionOf, topicOf } from '../manifests.ts'
import { faults, podsOfWaybill, system } from '../names.ts'
import { ownNamespace } from '../own-namespace.ts'
import type { World } from '../world.ts'

const right = 'amqp://guest:guest@rabbitmq.shop.svc:5672'
/** Must be seen nowhere. */
const canary = 'canary-2f61c8'
const withinMs = 10_000

/** What is wrong shows within ten seconds, and clears within ten seconds; all settings are the defaults. */
export const brokenThings = async ({ cluster, proxy, report }: World): Promise<void> => {
  report.section('What is broken says so')
  const apply = (...items: readonly Manifest[]) => cluster.kubectl(['apply', '-f', '-'], { input: listOf(...items) })
  const broker = { namespace: faults, path: 'brokers/rabbitmq' }
  const subscription = { namespace: faults, path: 'subscriptions/hopeful' }
  const event = (kind: string, name: string, type: 'Normal' | 'Warning', about: RegExp) =>
    eventSays(
      proxy,
      { namespace: faults, kind, name },
      (one) => one.type === type && about.test(`${one.reason} ${one.message}`),
    )

  await report.step('a Subscription to a Topic that is not there, within 10 s', async () => {
    await ownNamespace(cluster, faults)
    await apply(secretOf(faults, right), brokerOf(faults), subscriptionOf(faults, 'hopeful', 'nowhere'))
    const { took, condition } = await becomes(proxy, subscription, 'ResolvedRefs', 'False', withinMs)
    assert.match(condition.message, /nowhere/)
    const said = await event('Subscription', 'hopeful', 'Warning', /nowhere/)
    return `${took}, ${condition.reason}, Event ${said}`
  })
  await report.step('clears within 10 s of the Topic being there', async () => {
    await apply(topicOf(faults, 'nowhere'))
    const { took } = await becomes(proxy, subscription, 'Ready', 'True', withinMs)
    return `${took}, Event ${await event('Subscription', 'hopeful', 'Normal', /./)}`
  })
  await becomes(proxy, broker, 'Ready', 'True', withinMs).catch(() => {})
  const breaks: Record<string, () => Promise<unknown>> = {
    'a wrong password': () => apply(secretOf(faults, right.replace(':guest@', `:${canary}@`))),
    'a Secret that is gone': () => cluster.kubectl(['-n', faults, 'delete', 'secret', 'rabbitmq']),
    'a Secret that is nonsense': () => apply(secretOf(faults, canary)),
    'a broker that is not there': () => apply(secretOf(faults, right.replace('rabbitmq.shop', 'nobody.shop'))),
  }
  for (const [what, breakIt] of Object.entries(breaks)) {
    await report.step(`${what}, within 10 s`, async () => {
      await breakIt()
      const { took, condition } = await becomes(proxy, broker, 'Ready', 'False', withinMs)
      await becomes(proxy, subscription, 'Ready', 'False', withinMs)
      return `${took}, ${condition.reason}: ${condition.message}`
    })
    await report.step('clears within 10 s', async () => {
      await apply(secretOf(faults, right))
      const { took } = await becomes(proxy, broker, 'Ready', 'True', withinMs)
      await becomes(proxy, subscription, 'Ready', 'True', withinMs)
      return took
    })
  }
  await report.step('an Event tells each change', async () => {
    const warned = await event('Broker', 'rabbitmq', 'Warning', /./)
    return `${warned}, ${await event('Broker', 'rabbitmq', 'Normal', /./)}`
  })
  await report.step('no password in statuses, Events and logs', async () => {
    const shown = [
      JSON.stringify(await resource(proxy, broker)),
      await proxy.text(`/api/v1/namespaces/${faults}/events`),
      await cluster.kubectl(['-n', system, 'logs', '-l', podsOfWaybill, '--tail=-1', '--prefix']),
    ]
    assert(!shown.some((text) => text.includes(canary)), 'the password was seen')
  })
  await report.step('the namespace is deleted', async () => {
    await cluster.kubectl(['delete', 'namespace', faults, '--timeout=60s'])
  })
}
