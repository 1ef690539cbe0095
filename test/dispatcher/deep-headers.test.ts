import { subscription } from '../../src/api/kinds/subscription.ts'
import { startStage } from '../support/in-process.ts'
import { brokerOf, subscriptionOf, topicOf } from '../support/manifests.ts'
import { publish } from '../support/publish.ts'
import { startSubscriber } from '../support/subscriber.ts'
import { eventually } from '../support/wait.ts'

test('a message with 8,000 nested tables is processed, and the messages of others are delivered once', async () => {
  const stage = await startStage()
  const subscriber = await startSubscriber()
  subscriber.answer(({ path }) => (path === '/b' ? { status: 200, afterMs: 2_000 } : 200))
  const to = (path: string) => ({ subscriber: { url: subscriber.url + path } })
  stage.folder.write('all', [
    ...brokerOf(stage.vhost),
    topicOf('a'),
    topicOf('b'),
    subscriptionOf('a', 'a', '', to('a')),
    subscriptionOf('b', 'b', '', to('b')),
  ])
  for (const name of ['a', 'b']) await stage.condition(subscription, name, 'Ready', 'True')
  // Through the management API, for no client that decodes tables could write it.
  const depth = 8_000
  const headers = `${'{"n":'.repeat(depth)}1${'}'.repeat(depth)}`
  const exchange = encodeURIComponent('shop.a')
  const path = `/exchanges/${encodeURIComponent(stage.vhost.name)}/${exchange}/publish`
  const { username, password, management } = stage.vhost.endpoint
  const answer = await fetch(`${management}/api${path}`, {
    method: 'POST',
    headers: {
      authorization: `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`,
      'content-type': 'application/json',
    },
    body: `{"routing_key":"a.1","payload":"deep","payload_encoding":"string","properties":{"headers":${headers}}}`,
  })
  expect(await answer.json()).toEqual({ routed: true })
  const five = Array.from({ length: 5 }, (_, index) => ({ routingKey: 'b.1', body: String(index) }))
  await publish(stage.vhost.amqpUrl, 'shop.b', five)
  const bodies = (of: string) => subscriber.received.filter((one) => one.path === of).map(({ body }) => body.toString())
  await eventually(() => bodies('/b').length >= 5 && bodies('/a').length >= 1)
  await stage.end()
  expect([bodies('/a'), bodies('/b').sort()]).toEqual([['deep'], ['0', '1', '2', '3', '4']])
  expect(stage.logs()).not.toContain('Lost the connection')
  await stage.close()
  await subscriber.close()
})
