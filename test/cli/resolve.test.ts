import { isTrue } from '../../src/api/conditions.ts'
import { subscription } from '../../src/api/kinds/subscription.ts'
import { entryOf, lookupOf } from '../../src/cli/resolve.ts'
import { brokerOf, manifestFolder, subscriptionOf, topicOf } from '../support/manifests.ts'
import { publish } from '../support/publish.ts'
import { startSubscriber } from '../support/subscriber.ts'
import { freshVhost } from '../support/vhost.ts'
import { eventually } from '../support/wait.ts'
import { runWaybill } from '../support/waybill.ts'

test.each([
  ['billing.shop.svc=127.0.0.1', { name: 'billing.shop.svc', address: '127.0.0.1' }],
  ['*.Shop.svc=::1', { name: '*.shop.svc', address: '::1' }],
  ['localhost=10.0.0.1', { name: 'localhost', address: '10.0.0.1' }],
  ['billing.shop.svc', undefined],
  ['billing.shop.svc=', undefined],
  ['=127.0.0.1', undefined],
  ['*=127.0.0.1', undefined],
  ['billing.shop.svc=localhost', undefined],
  ['billing.shop.svc=127.0.0.1:8080', undefined],
])('the --resolve entry %s is parsed or refused', (text, entry) => {
  expect(entryOf(text)).toEqual(entry)
})

test('a name resolves to the address of the first entry that matches, for one address and for all', async () => {
  const lookup = lookupOf([
    { name: 'billing.shop.svc', address: '127.0.0.2' },
    { name: '*.shop.svc', address: '127.0.0.3' },
  ])
  const ask = (name: string, all: boolean) =>
    new Promise((resolve) => lookup(name, { all }, (error, address) => resolve(error?.code ?? address)))
  expect(await ask('Billing.shop.svc', false)).toBe('127.0.0.2')
  expect(await ask('mailing.shop.svc', true)).toEqual([{ address: '127.0.0.3', family: 4 }])
  expect(await ask('127.0.0.1', false)).toBe('127.0.0.1')
  expect(await ask('shop.svc.invalid', false)).toBe('ENOTFOUND')
})

test('manifests for a cluster run on one machine with --resolve, which covers both broker ports and the subscriber', async () => {
  await using cleanUp = new AsyncDisposableStack()
  const vhost = cleanUp.adopt(await freshVhost(), ({ drop }) => drop())
  const folder = cleanUp.adopt(manifestFolder(), ({ drop }) => drop())
  const subscriber = cleanUp.adopt(await startSubscriber(), ({ close }) => close())
  const named = (url: string) => url.replace(new URL(url).hostname, 'rabbitmq.shop.svc')
  const secret = {
    connection_string: named(vhost.secret.connection_string),
    management_uri: named(vhost.secret.management_uri),
  }
  const url = `http://billing.shop.svc:${subscriber.port}/`
  folder.write('shop', [...brokerOf({ ...vhost, secret }), topicOf('orders'), subscriptionOf('billing', 'orders', url)])
  const args = ['--resolve', '*.shop.svc=127.0.0.1']
  const running = cleanUp.adopt(await runWaybill(folder.path, { args }), ({ stop }) => stop())
  const isReady = async () => isTrue((await running.get(subscription, 'shop/billing'))?.status?.conditions, 'Ready')
  await eventually(isReady, { timeoutMs: 20_000 })

  await publish(vhost.amqpUrl, 'shop.orders', [{ routingKey: 'order.placed', body: 'hello' }])
  await eventually(() => subscriber.received.length === 1)
  expect(subscriber.received[0]?.headers.host).toBe(`billing.shop.svc:${subscriber.port}`)
})
