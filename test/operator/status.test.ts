import { broker } from '../../src/api/kinds/broker.ts'
import { deadLetterPolicy } from '../../src/api/kinds/dead-letter-policy.ts'
import { queue } from '../../src/api/kinds/queue.ts'
import { subscription } from '../../src/api/kinds/subscription.ts'
import { topic } from '../../src/api/kinds/topic.ts'
import { freePort } from '../support/free-port.ts'
import { type Stage, startStage } from '../support/in-process.ts'
import { brokerOf, deadLetterPolicyOf, queueOf, subscriptionOf, topicOf } from '../support/manifests.ts'
import { tcpProxy } from '../support/tcp-proxy.ts'
import { eventually } from '../support/wait.ts'

const url = 'http://127.0.0.1:9/'
const canary = 'canary-51d0'

let stage: Stage
beforeEach(async () => {
  stage = await startStage({ only: 'operator' })
})
afterEach(() => stage.close())

const withSecret = (secret: object) =>
  brokerOf({ ...stage.vhost, secret: { ...stage.vhost.secret, ...secret } as Stage['vhost']['secret'] })

test('resources on a usable broker are Ready, and their statuses name their objects there', async () => {
  const { folder, vhost, condition, get } = stage
  folder.write('all', [
    ...brokerOf(vhost),
    topicOf('orders'),
    queueOf('work', { bindings: [{ topicRef: { name: 'orders' } }] }),
    deadLetterPolicyOf('keep', { default: true }),
    subscriptionOf('billing', 'orders', url),
  ])
  await condition(subscription, 'billing', 'Programmed', 'True')
  await condition(subscription, 'billing', 'Ready', 'False', 'NotDelivering')
  await condition(topic, 'orders', 'Ready', 'True')
  await condition(queue, 'work', 'Ready', 'True')
  await condition(broker, 'rabbitmq', 'Connected', 'True')
  await condition(deadLetterPolicy, 'keep', 'Ready', 'True')
  expect(get(topic, 'orders')?.status).toMatchObject({ exchange: 'shop.orders', subscriptions: 1, unrouted: 0 })
  expect(get(subscription, 'billing')?.status).toMatchObject({
    ...{ queue: 'waybill.sub.shop.billing', deadLetterQueue: 'waybill.dlq.shop.billing', observedGeneration: 1 },
    ...{ backlog: { ready: 0, inFlight: 0 }, deadLetters: { count: 0 } },
  })
  await eventually(() => get(broker, 'rabbitmq')?.status?.attached?.subscriptions === 1)
  await eventually(() => get(deadLetterPolicy, 'keep')?.status?.subscriptions === 1)
})

test('a reference to nothing is reported, and resolves once its target exists', async () => {
  const { folder, vhost, condition, get } = stage
  folder.write('broker', brokerOf(vhost))
  folder.write('billing', [subscriptionOf('billing', 'orders', url)])
  const { message } = await condition(subscription, 'billing', 'ResolvedRefs', 'False', 'RefNotPermitted')
  expect(message).toBe('spec.topicRef: Topic shop/orders does not exist: create it, or correct the name')
  await condition(subscription, 'billing', 'Ready', 'False', 'NotResolved')
  folder.write('orders', [topicOf('orders')])
  await condition(subscription, 'billing', 'Programmed', 'True')
  folder.delete('orders')
  await condition(subscription, 'billing', 'ResolvedRefs', 'False', 'RefNotPermitted')
  expect(get(subscription, 'billing')?.status?.queue).toBe('waybill.sub.shop.billing')
})

describe('the Secret of a Broker', () => {
  test.each([
    {
      what: 'without a host',
      secret: { connection_string: undefined },
      says: 'needs the key connection_string, or host',
    },
    {
      what: 'with a connection string that is not a URL',
      secret: { connection_string: `amqp//guest:${canary}@x` },
      says: 'key connection_string must be a URL such as amqp://user:password@host:5672/',
    },
    {
      what: 'with a user in the management address',
      secret: { management_uri: `http://guest:${canary}@127.0.0.1:15672` },
      says: 'key management_uri must be a URL such as http://host:15672, without a user',
    },
    { what: 'with a port that is not a number', secret: { port: 'x' }, says: 'key port must be from 1 to 65535' },
  ])('the Secret of a Broker $what is reported by its key, not by its value', async ({ secret, says }) => {
    const { folder, condition, logs, vhost } = stage
    folder.write('broker', [...withSecret(secret), topicOf('orders')])
    const { message } = await condition(broker, 'rabbitmq', 'Connected', 'False', 'SecretInvalid')
    expect(message).toContain(`Secret shop/rabbitmq ${says}`)
    await condition(broker, 'rabbitmq', 'ResolvedRefs', 'False', 'SecretInvalid')
    await condition(topic, 'orders', 'Programmed', 'False', 'SecretInvalid')
    folder.write('broker', [...brokerOf(vhost), topicOf('orders')])
    await condition(topic, 'orders', 'Ready', 'True')
    expect(logs()).not.toContain(canary)
  })

  test('the Secret of a Broker with a wrong password is reported without the password', async () => {
    const { folder, condition, logs } = stage
    folder.write('broker', [...withSecret({ password: canary }), topicOf('orders')])
    const { message } = await condition(broker, 'rabbitmq', 'Connected', 'False', 'CredentialsRefused')
    expect(message).toContain('check username and password of the Secret')
    expect(message + logs()).not.toContain(canary)
  })

  test('the Secret of a Broker that does not exist is reported', async () => {
    const { folder, condition, vhost } = stage
    folder.write('broker', brokerOf(vhost).slice(1))
    const { message } = await condition(broker, 'rabbitmq', 'Connected', 'False', 'SecretInvalid')
    expect(message).toBe('Secret shop/rabbitmq does not exist')
  })
})

test('a broker that is lost and returns is reported each time, and its resources are Ready again', async () => {
  const { folder, vhost, condition } = stage
  const behind = new URL(vhost.managementUrl)
  const proxy = await tcpProxy({ hostname: behind.hostname, port: Number(behind.port) })
  await vhost.manage('PUT', `/queues/${vhost.name}/shop.theirs`, { durable: true, arguments: {} })
  folder.write('all', [
    ...withSecret({ management_uri: `http://127.0.0.1:${proxy.port}` }),
    ...[topicOf('orders'), queueOf('theirs'), topicOf('twin', { exchange: { name: 'shop.orders' } })],
  ])
  await condition(topic, 'orders', 'Ready', 'True')
  await condition(queue, 'theirs', 'Programmed', 'False', 'Conflicted')
  await proxy.close()
  const { message } = await condition(broker, 'rabbitmq', 'Connected', 'False', 'BrokerUnreachable')
  expect(message).toBe(
    `The management API at 127.0.0.1:${proxy.port} does not listen (ECONNREFUSED): check the address, and that the broker runs`,
  )
  await condition(topic, 'orders', 'Ready', 'False', 'NotProgrammed')
  // What was observed last stays in the statuses, conflicts too.
  expect(stage.get(topic, 'orders')?.status?.exchange).toBe('shop.orders')
  await condition(topic, 'twin', 'Accepted', 'False', 'Conflicted')
  await condition(queue, 'theirs', 'Programmed', 'False', 'Conflicted')
  const replacement = await tcpProxy({ hostname: behind.hostname, port: Number(behind.port) }, proxy.port)
  await condition(topic, 'orders', 'Ready', 'True')
  await condition(broker, 'rabbitmq', 'Ready', 'True')
  await replacement.close()
})

test('a broken connection is reported within 10 s, whatever the resync interval is', async () => {
  const { folder, vhost, condition } = stage
  const behind = new URL(vhost.managementUrl)
  const proxy = await tcpProxy({ hostname: behind.hostname, port: Number(behind.port) })
  const secret = { ...vhost.secret, management_uri: `http://127.0.0.1:${proxy.port}` }
  folder.write('all', brokerOf({ ...vhost, secret }, { resyncInterval: '1h' }))
  await condition(broker, 'rabbitmq', 'Ready', 'True')
  await proxy.close()
  await condition(broker, 'rabbitmq', 'Connected', 'False', 'BrokerUnreachable')
})

test('a broker that is away at the start is used once it is reachable', async () => {
  const { folder, condition, vhost } = stage
  const behind = new URL(vhost.managementUrl)
  const port = await freePort()
  folder.write('all', [...withSecret({ management_uri: `http://127.0.0.1:${port}` }), topicOf('orders')])
  await condition(topic, 'orders', 'Programmed', 'False', 'BrokerUnreachable')
  const proxy = await tcpProxy({ hostname: behind.hostname, port: Number(behind.port) }, port)
  await condition(topic, 'orders', 'Ready', 'True')
  await proxy.close()
})

test('a virtual host that does not exist is reported', async () => {
  const { folder, condition, vhost } = stage
  folder.write('all', brokerOf({ ...vhost, name: 'no-such-place' }))
  const { message } = await condition(broker, 'rabbitmq', 'Connected', 'False', 'BrokerRefused')
  expect(message).toMatch(
    /^Virtual host no-such-place does not exist, or user guest has no permissions on it: create it/,
  )
  await condition(broker, 'rabbitmq', 'Ready', 'False', 'NotProgrammed')
})

describe('a conflict', () => {
  const legacy = { exchange: { name: 'legacy' } }

  test('the older of two resources that name one exchange owns it', async () => {
    const { folder, vhost, condition } = stage
    folder.write('broker', [...brokerOf(vhost), topicOf('b-first', legacy)])
    await condition(topic, 'b-first', 'Ready', 'True')
    // Creation has a resolution of seconds, and the name decides between equals.
    await eventually(() => Date.now() > Date.parse(stage.get(topic, 'b-first')!.metadata.creationTimestamp) + 1_000)
    folder.write('second', [topicOf('a-second', legacy), subscriptionOf('billing', 'a-second', url)])
    const { message } = await condition(topic, 'a-second', 'Accepted', 'False', 'Conflicted')
    expect(message).toContain('spec.exchange.name: exchange legacy is already declared by Topic/shop/b-first')
    await condition(topic, 'a-second', 'Conflicted', 'True', 'ClaimedByAnother')
    await condition(topic, 'a-second', 'Ready', 'False', 'NotAccepted')
    await condition(subscription, 'billing', 'Accepted', 'False', 'Invalid')
    await condition(topic, 'b-first', 'Ready', 'True')
  })

  test('a conflict with a foreign queue is reported, and the queue is not changed until it is adopted', async () => {
    const { folder, vhost, condition, noCondition } = stage
    const there = { durable: true, arguments: { 'x-queue-type': 'classic' } }
    await vhost.manage('PUT', `/queues/${vhost.name}/shop.work`, there)
    folder.write('all', [...brokerOf(vhost), queueOf('work', { type: 'Classic', maxLength: 5 })])
    await condition(queue, 'work', 'Conflicted', 'True', 'NotClaimed')
    await condition(queue, 'work', 'Programmed', 'False', 'Conflicted')
    expect(await vhost.manage('GET', `/policies/${vhost.name}`)).not.toContainEqual(
      expect.objectContaining({ pattern: '^shop\\.work$' }),
    )
    folder.write('all', [...brokerOf(vhost), queueOf('work', { type: 'Classic', maxLength: 5, adopt: true })])
    await condition(queue, 'work', 'Ready', 'True')
    await noCondition(queue, 'work', 'Conflicted')
    expect(await vhost.manage('GET', `/queues/${vhost.name}/shop.work`)).toMatchObject({ arguments: there.arguments })
  })

  test('a conflict with the arguments of an existing queue of Waybill is reported, and the queue is not replaced', async () => {
    const { folder, vhost, condition } = stage
    const owner = { 'x-waybill-owner': 'waybill:Queue/shop/work', 'x-queue-type': 'classic' }
    await vhost.manage('PUT', `/queues/${vhost.name}/shop.work`, { durable: true, arguments: owner })
    folder.write('all', [...brokerOf(vhost), queueOf('work')])
    const { message } = await condition(queue, 'work', 'Programmed', 'False', 'ImmutableArgument')
    expect(message).toContain('x-queue-type is classic, wanted quorum')
  })

  test('a foreign policy on an adopted exchange, which loses its unrouted events, is reported until it is gone', async () => {
    const { folder, vhost, condition, noCondition } = stage
    await vhost.manage('PUT', `/exchanges/${vhost.name}/old`, { type: 'topic', durable: true })
    folder.write('all', [...brokerOf(vhost), topicOf('old', { exchange: { name: 'old' }, adopt: true })])
    await condition(topic, 'old', 'Ready', 'True')
    await noCondition(topic, 'old', 'PolicyShadowed')
    const foreign = {
      pattern: '.*',
      definition: { 'delivery-limit': 9, 'alternate-exchange': 'amq.fanout' },
      priority: 0,
    }
    await vhost.manage('PUT', `/policies/${vhost.name}/ops`, { ...foreign, 'apply-to': 'all' })
    const { message } = await condition(topic, 'old', 'PolicyShadowed', 'True')
    expect(message).toBe(
      'policy ops is in force on exchange old instead of waybill:Topic/shop/old: lower its priority below -1, or narrow its pattern',
    )
    await vhost.manage('DELETE', `/policies/${vhost.name}/ops`)
    await noCondition(topic, 'old', 'PolicyShadowed')
  })

  test('a conflict with a foreign policy that overrides one of Waybill is reported', async () => {
    const { folder, vhost, condition, noCondition } = stage
    const foreign = { pattern: '^shop', definition: { 'max-length': 7 }, priority: 900, 'apply-to': 'queues' }
    await vhost.manage('PUT', `/policies/${vhost.name}/ops`, foreign)
    folder.write('all', [...brokerOf(vhost), queueOf('work', { maxLength: 5 })])
    const { message } = await condition(queue, 'work', 'PolicyShadowed', 'True')
    expect(message).toContain('policy ops is in force on queue shop.work')
    await vhost.manage('DELETE', `/policies/${vhost.name}/ops`)
    await noCondition(queue, 'work', 'PolicyShadowed')
  })
})
