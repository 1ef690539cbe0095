import type { Route } from '../../src/dispatcher/pipeline/route.ts'
import { createSettle, type Decided } from '../../src/dispatcher/pipeline/settle.ts'
import { connectAmqp } from '../../src/rabbit/amqp/connect.ts'
import type { Delivery } from '../../src/rabbit/amqp/port.ts'
import type { PublishError } from '../../src/rabbit/amqp/publish-error.ts'
import { amqpProxy } from '../support/amqp-proxy.ts'
import { logLines } from '../support/log-lines.ts'
import { connectProducer } from '../support/publish.ts'
import { freshVhost } from '../support/vhost.ts'
import { eventually } from '../support/wait.ts'

test('a copy whose confirm is late is published once, and its original is acknowledged when the confirm comes', async () => {
  const vhost = await freshVhost()
  const producer = await connectProducer(vhost.amqpUrl)
  const proxy = await amqpProxy(vhost.endpoint.amqp)
  const stop = new AbortController()
  const queue = (name: string) => producer.channel.assertQueue(name, { arguments: { 'x-queue-type': 'quorum' } })
  const count = async (name: string) => (await producer.channel.checkQueue(name)).messageCount
  const { log } = logLines()
  await queue('shop')
  await queue('dead')
  await producer.publish('', [{ routingKey: 'shop', body: 'one' }])
  // Confirms alone are late: seven times the time that they have.
  proxy.fromBroker = ({ method, bytes }, { toClient }) =>
    method === '60.80' ? void setTimeout(() => toClient(Buffer.from(bytes)), 3_500) : toClient(bytes)
  const endpoint = {
    ...vhost.endpoint,
    amqp: { protocol: 'amqp' as const, hostname: '127.0.0.1', port: proxy.port },
  }
  const amqp = connectAmqp(endpoint, { name: 'test', log, confirmTimeoutMs: 500 }, stop.signal)
  const blocked: (PublishError['kind'] | undefined)[] = []
  const route = { subscription: { metadata: { namespace: 'a', name: 'b' } }, queue: 'shop', deadLetterQueue: 'dead' }
  const settle = createSettle(
    {
      ...{ route: route as Route, amqp },
      blocked: (error) => blocked.push(error?.kind),
      suspend: async () => undefined,
    },
    stop.signal,
  )
  const history = { attempts: 0, redeliveries: 0, exchange: '', routingKey: 'shop' }
  const attempt = { number: 1, history }
  const decided = { attempt, endedAt: 0, decision: { do: 'dead-letter', reason: 'Rejected', message: 'no' } }
  const settled: unknown[] = []
  amqp.consume({
    queue: 'shop',
    prefetch: 1,
    onState: () => undefined,
    onDelivery: (delivery: Delivery) => {
      void Promise.resolve(settle(delivery, decided as unknown as Decided)).then((one) => settled.push(one))
    },
  })
  await eventually(() => settled.length > 0)
  expect(blocked).toEqual(['timeout', undefined])
  expect(await count('dead')).toBe(1)
  await eventually(async () => (await count('shop')) === 0)
  expect(settled).toHaveLength(1)
  await amqp.close()
  await proxy.close()
  await producer.close()
  await vhost.drop()
})
