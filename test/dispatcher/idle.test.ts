import dns from 'node:dns'
import { once } from 'node:events'
import { createServer } from 'node:https'
import type { AddressInfo, LookupFunction } from 'node:net'
import { subscription } from '../../src/api/kinds/subscription.ts'
import { cert, key } from '../http/self-signed.ts'
import { type Stage, startStage } from '../support/in-process.ts'
import { brokerOf, subscriptionOf, topicOf } from '../support/manifests.ts'
import { publish } from '../support/publish.ts'
import { type Subscriber, startSubscriber } from '../support/subscriber.ts'
import { eventually } from '../support/wait.ts'

let stage: Stage
let subscriber: Subscriber
/** Services that the name server of the cluster knows: they are on this machine. */
const services = new Set<string>()

const lookup: LookupFunction = (host, options, callback) => {
  if (!host.endsWith('.svc')) return dns.lookup(host, options, callback)
  if (services.has(host)) return dns.lookup('localhost', options, callback)
  callback(Object.assign(new Error(`getaddrinfo ENOTFOUND ${host}`), { code: 'ENOTFOUND' }), '')
}

beforeEach(async () => {
  services.clear()
  stage = await startStage({ lookup })
  subscriber = await startSubscriber()
  stage.folder.write('base', [...brokerOf(stage.vhost), topicOf('orders')])
})
afterEach(async () => {
  await stage.close()
  await subscriber.close()
})

const subscribe = (spec: object = {}) =>
  stage.folder.write('billing', [subscriptionOf('billing', 'orders', subscriber.url, spec)])
const ready = () => stage.condition(subscription, 'billing', 'Ready', 'True', 'Ready')
const acceptedText = () =>
  stage.get(subscription, 'billing')?.status?.conditions?.find(({ type }) => type === 'Accepted')?.message
const delivered = () => stage.get(subscription, 'billing')?.status?.delivery?.delivered

test('a subscription that is not declared on the broker reports NoConsumer, and delivers once it is', async () => {
  stage.folder.write('billing', [subscriptionOf('billing', 'later', subscriber.url)])
  await stage.condition(subscription, 'billing', 'Delivering', 'False', 'NoConsumer')
  stage.folder.write('later', [topicOf('later')])
  await ready()
  stage.folder.delete('later')
  await stage.condition(subscription, 'billing', 'ResolvedRefs', 'False')
  await stage.condition(subscription, 'billing', 'Delivering', 'False', 'NoConsumer')
})

test('the counts of a subscription outlive its suspension, and no series outlives the subscription', async () => {
  subscribe()
  await ready()
  await publish(stage.vhost.amqpUrl, 'shop.orders', [{ body: 'one' }, { body: 'two' }])
  await eventually(() => subscriber.received.length === 2)
  subscribe({ suspend: true })
  await stage.condition(subscription, 'billing', 'Ready', 'True', 'Suspended')
  await eventually(() => delivered() === 2)
  subscribe()
  await ready()
  expect(delivered()).toBe(2)
  subscribe({ deletionPolicy: 'Delete' })
  await eventually(() => stage.get(subscription, 'billing')?.metadata.generation === 4)
  stage.folder.delete('billing')
  await eventually(() => stage.get(subscription, 'billing') === undefined)
  await eventually(async () => !(await stage.metrics.registry.metrics()).includes('subscription="billing"'))
})

test('a subscription without its Secret stops and reports why, and resumes when the Secret is back', async () => {
  let received = 0
  const server = createServer({ cert, key }, (_, response) => {
    received += 1
    response.end()
  }).listen(0, 'localhost')
  await once(server, 'listening')
  const url = `https://localhost:${(server.address() as AddressInfo).port}/`
  const secret = (data: object) =>
    stage.folder.write('trust', [
      { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'trust', namespace: 'shop' }, stringData: data },
    ])
  secret({ 'ca.crt': cert })
  subscribe({ subscriber: { url, tls: { caSecretRef: { name: 'trust' } } } })
  await ready()
  secret({ other: 'any' })
  const { message } = await stage.condition(subscription, 'billing', 'Delivering', 'False', 'TargetInvalid')
  expect(message).toBe('spec.subscriber.tls.caSecretRef: Secret shop/trust needs the key ca.crt')
  await publish(stage.vhost.amqpUrl, 'shop.orders', [{ body: 'one' }])
  await eventually(async () => (await stage.metric('waybill_subscription_backlog', { state: 'ready' })) === 1)
  expect(received).toBe(0)
  secret({ 'ca.crt': cert })
  await eventually(() => received === 1)
  server.closeAllConnections()
  server.close()
})

test('a Service that does not exist is told before the first message, and delivered to once it is there', async () => {
  const port = Number(new URL(subscriber.url).port)
  subscribe({ subscriber: { serviceRef: { name: 'billing', port } } })
  const { message } = await stage.condition(subscription, 'billing', 'Delivering', 'False', 'SubscriberNotFound')
  expect(message).toContain('billing.shop.svc has no address: there is no Service "billing" in this namespace')
  await stage.condition(subscription, 'billing', 'Ready', 'False', 'NotDelivering')
  services.add('billing.shop.svc')
  await ready()
  await publish(stage.vhost.amqpUrl, 'shop.orders', [{ body: 'one' }])
  await eventually(() => subscriber.received.length === 1)
})

test('a subscriber at an address that nothing is sent to is reported at once, and its messages wait', async () => {
  subscribe({ subscriber: { url: 'http://169.254.169.254/latest' }, filter: { routingKeys: ['order*', 'order.**'] } })
  const { message } = await stage.condition(subscription, 'billing', 'Delivering', 'False', 'TargetInvalid')
  expect(message).toBe(
    'spec.subscriber.url: 169.254.169.254 is an address that nothing is sent to: one of this machine, or where clouds hand out credentials',
  )
  const accepted = await stage.condition(subscription, 'billing', 'Accepted', 'True')
  expect(accepted.message).toContain('but spec.filter.routingKeys[0]: order* matches the word order* alone')
  await stage.condition(subscription, 'billing', 'Ready', 'False', 'NotDelivering')
  subscribe({ filter: { routingKeys: ['order.**'] } })
  await ready()
  await eventually(() => acceptedText()?.includes('order.** matches the word ** alone'))
  subscribe()
  await ready()
  await eventually(() => acceptedText() === 'The specification is valid')
})
