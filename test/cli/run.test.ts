import { isTrue } from '../../src/api/conditions.ts'
import { broker } from '../../src/api/kinds/broker.ts'
import { subscription } from '../../src/api/kinds/subscription.ts'
import { brokerOf, manifestFolder, subscriptionOf, topicOf } from '../support/manifests.ts'
import { publish } from '../support/publish.ts'
import { startSubscriber } from '../support/subscriber.ts'
import { freshVhost } from '../support/vhost.ts'
import { eventually } from '../support/wait.ts'
import { runWaybill, type Waybill } from '../support/waybill.ts'
import { waybill } from './waybill.ts'

const isReady = async (running: Waybill, name: string): Promise<boolean> =>
  isTrue((await running.get(subscription, name))?.status?.conditions, 'Ready')

test('run makes resources ready, serves health and metrics, and exits with 0 on SIGTERM', async () => {
  await using cleanUp = new AsyncDisposableStack()
  const vhost = cleanUp.adopt(await freshVhost(), ({ drop }) => drop())
  const folder = cleanUp.adopt(manifestFolder(), ({ drop }) => drop())
  const subscriber = cleanUp.adopt(await startSubscriber(), ({ close }) => close())
  folder.write('shop', [...brokerOf(vhost), topicOf('orders'), subscriptionOf('mail', 'orders', subscriber.url)])
  const running = cleanUp.adopt(await runWaybill(folder.path), ({ stop }) => stop())

  await eventually(() => isReady(running, 'shop/mail'))
  await eventually(async () => (await fetch(`${running.server}/readyz`)).ok)
  const metrics = await (await fetch(`${running.server}/metrics`)).text()
  expect(metrics).toMatch(/^waybill_resources\{kind="Subscription"\} 1$/m)
  expect(metrics).toMatch(/^waybill_manifest_problems 0$/m)
  expect(metrics).toMatch(/^waybill_build_info\{component="operator",version="\d[^"]*",node="v\d[^"]*"\} 1$/m)
  expect(metrics).toMatch(/^waybill_build_info\{component="dispatcher",.*\} 1$/m)
  expect(metrics).toMatch(/^waybill_resources_ready\{kind="Subscription",status="True",reason="Ready"\} 1$/m)
  expect(metrics).toMatch(/^waybill_subscription_delivering\{.*subscription="mail",reason="Delivering"\} 1$/m)
  expect(metrics).toMatch(/^waybill_leading 1$/m)
  expect(metrics).toMatch(/^waybill_broker_connected\{namespace="shop",broker="rabbitmq"\} 1$/m)

  const { out } = await waybill('get', 'wbs', '--server', running.server)
  expect(out).toMatch(/shop +mail +True +True/)

  folder.write('broken', 'kind: [')
  await eventually(async () =>
    /^waybill_manifest_problems 1$/m.test(await (await fetch(`${running.server}/metrics`)).text()),
  )
  expect(running.logs()).toMatch(/broken\.yaml:1: is not valid YAML/)
  expect((await running.list(broker)).length).toBe(1)

  expect(await running.kill('SIGTERM')).toBe(0)
  for (const line of running.logs().trimEnd().split('\n')) expect(JSON.parse(line)).toHaveProperty('message')
  expect(running.logs()).not.toContain(vhost.secret.connection_string)
})

test('a second signal ends run at once with exit code 1, even with a delivery in flight', async () => {
  await using cleanUp = new AsyncDisposableStack()
  const vhost = cleanUp.adopt(await freshVhost(), ({ drop }) => drop())
  const folder = cleanUp.adopt(manifestFolder(), ({ drop }) => drop())
  const subscriber = cleanUp.adopt(await startSubscriber(), ({ close }) => close())
  subscriber.answer('hang')
  folder.write('shop', [...brokerOf(vhost), topicOf('orders'), subscriptionOf('mail', 'orders', subscriber.url)])
  const running = cleanUp.adopt(await runWaybill(folder.path), ({ stop }) => stop())
  await eventually(() => isReady(running, 'shop/mail'))
  await publish(vhost.amqpUrl, 'shop.orders', [{ routingKey: 'a', body: 'hello' }])
  await eventually(() => subscriber.received.length > 0)
  process.kill(running.pid, 'SIGTERM')
  await eventually(() => running.logs().includes('Shutting down'))
  expect(await running.kill('SIGTERM')).toBe(1)
})

test('run exits at once with 1 on a port in use and on a path that does not exist', async () => {
  const folder = manifestFolder()
  const subscriber = await startSubscriber()
  folder.write('a', [topicOf('orders')])
  const taken = await waybill('run', '-f', folder.path, '--listen', new URL(subscriber.url).host)
  expect([taken.code, taken.err]).toEqual([
    1,
    expect.stringMatching(/^Error: Cannot listen on .*: the port is in use/m),
  ])
  const missing = await waybill('run', '-f', `${folder.path}/nothing.yaml`)
  expect([missing.code, missing.err]).toEqual([1, expect.stringMatching(/^Error: .*nothing\.yaml does not exist\n$/)])
  folder.drop()
  await subscriber.close()
})
