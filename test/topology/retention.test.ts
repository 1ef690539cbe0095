import { deleting, desiredFrom, policyOf, queueOf, subscriptionOf, topicOf } from './resources.ts'
import { converge, planOf, virtualHost } from './virtual-host.ts'

const topic = topicOf('orders')
const names = Array.from({ length: 1000 }, (_, number) => `billing-${number}`)
const keeping = (maxLength: number) => policyOf('keep', { default: true, retention: { maxLength } })
const shared = 'waybill:Broker/shop/rabbitmq#dlq:'

const declared = (wanted = desiredFrom(topic, keeping(5), ...names.map((name) => subscriptionOf(name)))) => {
  const vhost = virtualHost()
  converge(wanted, vhost)
  vhost.made.length = 0
  return vhost
}
const policiesOf = ({ observe }: ReturnType<typeof virtualHost>) =>
  observe().policies.filter(({ name }) => name.startsWith(shared))

test('a thousand dead-letter queues with the same limits share few policies, and each has one', () => {
  const policies = policiesOf(declared())
  expect(policies.length).toBeLessThan(40)
  for (const name of names) {
    const queue = `waybill.dlq.shop.${name}`
    expect(policies.filter(({ pattern }) => new RegExp(pattern).test(queue))).toHaveLength(1)
    expect(policies.filter(({ pattern }) => new RegExp(pattern).test(`waybill.sub.shop.${name}`))).toEqual([])
  }
})

test('one more subscription changes the policy of its own group and no other, before its queue is declared', () => {
  const vhost = declared()
  const wanted = desiredFrom(topic, keeping(5), ...[...names, 'billing-new'].map((name) => subscriptionOf(name)))
  const { stages } = planOf(wanted, vhost.observe())
  const [first = [], second = []] = stages
  expect(first.filter(({ change }) => change.do === 'put-policy').length).toBeLessThanOrEqual(2)
  expect(first.length).toBeLessThanOrEqual(3)
  expect(second.map(({ change }) => change.do)).toEqual(['declare-queue', 'declare-queue', 'declare-queue'])
})

test('another limit changes each policy once, and without a limit the policies are deleted', () => {
  const vhost = declared()
  const before = policiesOf(vhost)
  converge(desiredFrom(topic, keeping(6), ...names.map((name) => subscriptionOf(name))), vhost)
  expect(vhost.made.map((change) => change.do)).toEqual(before.map(() => 'put-policy'))
  converge(desiredFrom(topic, ...names.map((name) => subscriptionOf(name))), vhost)
  expect(policiesOf(vhost)).toEqual([])
})

test('dead-letter queues with other limits have a policy of their own', () => {
  const vhost = declared(
    desiredFrom(
      topic,
      keeping(5),
      policyOf('short', { retention: { maxAge: '1h' } }),
      subscriptionOf('billing'),
      subscriptionOf('mail', { deadLetterPolicyRef: { name: 'short' } }),
    ),
  )
  expect(policiesOf(vhost).map(({ pattern, definition }) => [pattern, definition])).toEqual([
    ['^waybill\\.dlq\\.shop\\.billing$', { 'max-length': 5, overflow: 'reject-publish', 'delivery-limit': -1 }],
    ['^waybill\\.dlq\\.shop\\.mail$', { 'message-ttl': 3_600_000, overflow: 'reject-publish', 'delivery-limit': -1 }],
  ])
})

test('the dead-letter queue that a deleted subscription leaves has no limits', () => {
  const vhost = declared(desiredFrom(topic, keeping(5), subscriptionOf('billing')))
  vhost.put('waybill.dlq.shop.billing', 1)
  converge(desiredFrom(topic, keeping(5), subscriptionOf('billing', {}, deleting)), vhost)
  expect(policiesOf(vhost)).toEqual([])
  expect(vhost.observe().states.get('waybill.dlq.shop.billing')?.policy).toBe('waybill:kept')
})

test('a policy that is gone changes nothing on the broker, whatever comes and goes beside its dead-letter queues', () => {
  const naming = { deadLetterPolicyRef: { name: 'short' } }
  const [mail, work] = [subscriptionOf('mail', naming), queueOf('work', naming)]
  const short = policyOf('short', { retention: { maxAge: '1h', maxLength: 7 } })
  const vhost = declared(desiredFrom(topic, short, mail, work))
  converge(desiredFrom(topic, mail, work), vhost)
  expect(vhost.made).toEqual([])
  const limited = () =>
    ['waybill.dlq.shop.mail', 'waybill.dlq.Queue.shop.work', 'waybill.dlq.shop.more'].map((queue) =>
      policiesOf(vhost).flatMap(({ pattern, definition }) => (new RegExp(pattern).test(queue) ? [definition] : [])),
    )
  const definition = { 'message-ttl': 3_600_000, 'max-length': 7, overflow: 'reject-publish', 'delivery-limit': -1 }
  converge(desiredFrom(topic, mail, work, subscriptionOf('more', naming), subscriptionOf('other')), vhost)
  expect(limited()).toEqual([[definition], [definition], []])
  converge(desiredFrom(topic, work, short), vhost)
  expect(limited()).toEqual([[], [definition], []])
})
