import rhea, { type Message } from 'rhea'
import { subscription } from '../../src/api/kinds/subscription.ts'
import { sendAmqp10 } from '../support/amqp10.ts'
import { type Stage, startStage } from '../support/in-process.ts'
import { brokerOf, subscriptionOf, topicOf } from '../support/manifests.ts'
import { connectProducer, type Producer } from '../support/publish.ts'
import { type Subscriber, startSubscriber } from '../support/subscriber.ts'
import { eventually } from '../support/wait.ts'

const queue = 'waybill.sub.shop.modern'
let stage: Stage
let producer: Producer
let subscriber: Subscriber
/** RabbitMQ 3 has AMQP 1.0 in a plugin, which Waybill does without. */
let isSpoken: boolean

beforeAll(async () => {
  stage = await startStage()
  const { rabbitmq_version: version } = (await stage.vhost.manage('GET', '/overview')) as { rabbitmq_version: string }
  isSpoken = Number.parseInt(version, 10) >= 4
  subscriber = await startSubscriber()
  producer = await connectProducer(stage.vhost.amqpUrl)
  const spec = { subscriber: { url: subscriber.url } }
  stage.folder.write('all', [...brokerOf(stage.vhost), topicOf('modern'), subscriptionOf('modern', 'modern', '', spec)])
  await stage.condition(subscription, 'modern', 'Ready', 'True')
})
afterAll(async () => {
  await producer.close()
  await stage.close()
  await subscriber.close()
})

const bytes = Buffer.from([1, 255])
const { message: sections, types } = rhea

test.each<[string, Message['body'], Buffer]>([
  ['a string', 'hello', Buffer.from('hello')],
  ['a long string', 'x'.repeat(300), Buffer.from('x'.repeat(300))],
  ['a binary', bytes, bytes],
  ['one data section', sections.data_section(bytes), bytes],
  ['two data sections', sections.data_sections([bytes, bytes]), Buffer.concat([bytes, bytes])],
])('an AMQP 1.0 message with %s is delivered with the bytes that were sent', async (what, body, expected) => {
  if (!isSpoken) return
  subscriber.received.length = 0
  await sendAmqp10(stage.vhost, queue, [{ message_id: what, body }])
  const [received] = await eventually(() => subscriber.received.length === 1 && subscriber.received)
  expect(received!.body.equals(expected)).toBe(true)
  expect(received!.headers['ce-type']).toBe(queue)
})

test.each<[string, Message['body']]>([
  ['a map', { a: 1 }],
  ['a number', 7],
  ['a UUID', types.wrap_uuid(Buffer.alloc(16, 7))],
  ['a sequence', sections.sequence_section([1, 2])],
])('an AMQP 1.0 message with %s is dead-lettered, and says what makes a body', async (what, body) => {
  if (!isSpoken) return
  await sendAmqp10(stage.vhost, queue, [{ message_id: what, body }])
  const [letter] = await eventually(async () => {
    const letters = await producer.look('waybill.dlq.shop.modern')
    return letters.length > 0 && letters
  })
  producer.channel.ack(letter!)
  expect(letter!.properties).toMatchObject({ messageId: what, headers: { 'waybill-reason': 'Unparsable' } })
  expect(letter!.properties.headers?.['waybill-error']).toContain('only data sections')
})
