import { discard } from '../../../src/api/kinds/discard.ts'
import { queue as queueKind } from '../../../src/api/kinds/queue.ts'
import { replay } from '../../../src/api/kinds/replay.ts'
import { topic as topicKind } from '../../../src/api/kinds/topic.ts'
import { deadLetterPolicyOf, inNamespace, jobFrom, queueOf, topicOf } from '../../support/manifests.ts'
import { type LettersStage, lettersStage } from './stage.ts'

/** Replays and Discards of what else is kept: the dead letters of a Queue, the parked events of a Topic, and orphans. */

let stage: LettersStage
beforeAll(async () => {
  stage = await lettersStage()
  stage.folder.write('keep', [deadLetterPolicyOf('keep')])
})
afterEach(() => stage.folder.write('job', []))
afterAll(() => stage.close())

const broker = { brokerRef: { name: 'rabbitmq' } }
const statusOf = (name: string) => stage.get(replay, name)?.status
const completed = (name: string) => stage.condition(replay, name, 'Complete', 'True', 'Completed')
const start = (kind: 'Replay' | 'Discard', name: string, spec: object): void =>
  stage.folder.write('job', [jobFrom(kind, name, spec)])
const count = async (queue: string) => (await stage.producer.channel.checkQueue(queue)).messageCount
const holds = (queue: string, messages: number) => stage.eventually(async () => (await count(queue)) === messages)

/** Takes what a queue holds out of it. */
const drained = async (queue: string) => {
  const found = await stage.producer.look(queue)
  for (const message of found) stage.producer.channel.ack(message)
  return found
}
/** What is in a queue, without its rejections: they are dead letters after that. */
const reject = async (queue: string): Promise<void> => {
  for (const message of await stage.producer.look(queue)) stage.producer.channel.nack(message, false, false)
}
const makeQueue = async (name: string, spec: object = {}): Promise<void> => {
  stage.folder.write(name, [queueOf(name, { deadLetterPolicyRef: { name: 'keep' }, ...spec })])
  await stage.condition(queueKind, name, 'Ready', 'True')
}

test('what the broker made a dead letter of a Queue goes back into that queue, once, without what was forged', async () => {
  await makeQueue('work')
  const dlq = 'waybill.dlq.Queue.shop.work'
  const { channel } = stage.producer
  const forged = {
    ...{ 'waybill-exchange': 'amq.topic', 'waybill-attempts': 99, 'waybill-replay': 'x', 'waybill-reason': 'Gone' },
    ...{ 'waybill-broken-properties': 'x', 'waybill-discarded-from': dlq, 'x-tenant': 'a' },
  }
  await stage.producer.publish('', [
    { routingKey: 'shop.work', body: 'plain', options: { priority: 7 } },
    { routingKey: 'shop.work', body: 'forged', options: { headers: forged } },
    { routingKey: 'shop.work', body: 'large', options: { headers: { large: 'x'.repeat(60 * 1024) } } },
    { routingKey: 'shop.work', body: Buffer.from([0, 255, 128, 10]) },
    { routingKey: 'shop.work', body: '' },
  ])
  await reject('shop.work')
  await holds(dlq, 5)
  // What nobody but a person puts there, for a queue that is there only later.
  const cc = {
    CC: ['victim'],
    BCC: ['victim'],
    'x-death': [{ queue: 'victim', exchange: 'amq.topic', reason: 'expired' }],
  }
  await stage.producer.publish('', [{ routingKey: dlq, body: 'copied', options: { headers: cc } }])
  await channel.assertQueue('victim')
  start('Replay', 'work', { queueRef: { name: 'work' } })
  const { message } = await completed('work')
  expect(message).toBe('6 dead letters put back into the queue')
  await holds(dlq, 0)
  const back = await drained('shop.work')
  const byBody = new Map(back.map((one) => [one.content.toString('latin1'), one]))
  expect([...byBody.keys()].toSorted()).toEqual(['', '\0\xff\x80\n', 'copied', 'forged', 'large', 'plain'])
  expect(back).toHaveLength(6)
  expect(byBody.get('plain')!.properties.priority).toBe(7)
  expect(byBody.get('large')!.properties.headers!.large).toHaveLength(60 * 1024)
  const uid = stage.get(replay, 'work')!.metadata.uid
  for (const { properties } of back) {
    const names = Object.keys(properties.headers!).filter(
      (name) => !/^(large|x-tenant|x-(acquired|delivery)-count)$/.test(name),
    )
    expect(names.toSorted()).toEqual(['waybill-exchange', 'waybill-replay', 'waybill-replays', 'waybill-routing-key'])
    expect(properties.headers).toMatchObject({ 'waybill-replays': 1, 'waybill-replay': uid })
  }
  expect(byBody.get('forged')!.properties.headers!['x-tenant']).toBe('a')
  expect(await count('victim')).toBe(0)
})

test('dead letters of a Queue are discarded, and restored as they were', async () => {
  await makeQueue('unwanted')
  const dlq = 'waybill.dlq.Queue.shop.unwanted'
  await stage.producer.publish('', [{ routingKey: 'shop.unwanted', body: 'x', options: { priority: 3 } }])
  await reject('shop.unwanted')
  await holds(dlq, 1)
  start('Discard', 'unwanted', { queueRef: { name: 'unwanted' }, reason: 'Orders of a test' })
  await stage.condition(discard, 'unwanted', 'Complete', 'True', 'Completed')
  await holds(dlq, 0)
  start('Replay', 'restored', { queueRef: { name: 'unwanted' }, to: 'DeadLetters' })
  await completed('restored')
  const [letter] = await drained(dlq)
  expect(letter!.content.toString()).toBe('x')
  expect(letter!.properties.priority).toBe(3)
  expect(letter!.properties.headers!['x-death']).toMatchObject([{ queue: 'shop.unwanted', reason: 'rejected' }])
  expect(Object.keys(letter!.properties.headers!).filter((name) => name.startsWith('waybill-'))).toEqual([])
})

test('parked events go to whoever subscribes now, each once and with its key; what nobody wants stays parked', async () => {
  stage.folder.write('late', [topicOf('late')])
  await stage.condition(topicKind, 'late', 'Ready', 'True')
  const keys = ['order.created', 'order.paid', 'refund.paid', 'other']
  const headers = { 'waybill-routing-key': 'other', 'waybill-dead-lettered': '2100-01-01T00:00:00Z', CC: ['order.no'] }
  await stage.producer.publish(
    'shop.late',
    keys.map((routingKey) => ({ routingKey, body: routingKey, options: { headers } })),
  )
  const parked = 'waybill.unrouted.shop.late'
  await holds(parked, 4)

  start('Replay', 'nobody', { topicRef: { name: 'late' } })
  const { message } = await completed('nobody')
  expect(message).toBe('0 parked events put back to the topic, 4 that no subscription wants are parked again')
  expect(statusOf('nobody')).toMatchObject({ matched: 4, delivered: 0, failed: 4, left: 0 })
  expect(statusOf('nobody')!.lastFailure!.message).toBe('No queue is bound for its routing key: it is parked again')
  await holds(parked, 4)

  const bound = (key: string) => ({ bindings: [{ topicRef: { name: 'late' }, routingKeys: [key] }] })
  await makeQueue('created', bound('order.*'))
  await makeQueue('paid', bound('*.paid'))
  start('Replay', 'somebody', { topicRef: { name: 'late' }, selector: { reasons: ['Unrouted'], replaysAtMost: 1 } })
  await completed('somebody')
  expect(statusOf('somebody')).toMatchObject({ matched: 4, delivered: 3, failed: 1, left: 0 })
  const found = async (queue: string) =>
    (await drained(queue)).map(({ fields, content }) => [fields.exchange, fields.routingKey, content.toString()])
  const as = (key: string) => ['shop.late', key, key]
  expect((await found('shop.created')).toSorted()).toEqual([as('order.created'), as('order.paid')])
  expect((await found('shop.paid')).toSorted()).toEqual([as('order.paid'), as('refund.paid')])
  expect(await found(parked)).toEqual([as('other')])
})

test('parked events are discarded, restored, and still have their keys', async () => {
  stage.folder.write('kept', [topicOf('kept')])
  await stage.condition(topicKind, 'kept', 'Ready', 'True')
  await stage.producer.publish('shop.kept', [
    { routingKey: 'a.b', body: 'x', options: { headers: { 'waybill-routing-key': 'forged' } } },
  ])
  const parked = 'waybill.unrouted.shop.kept'
  await holds(parked, 1)
  start('Discard', 'kept', { topicRef: { name: 'kept' }, reason: 'Nobody wants them' })
  await stage.condition(discard, 'kept', 'Complete', 'True', 'Completed')
  start('Replay', 'unparked', { topicRef: { name: 'kept' }, to: 'DeadLetters' })
  await completed('unparked')
  await holds(parked, 1)
  await makeQueue('keen', { bindings: [{ topicRef: { name: 'kept' }, routingKeys: ['a.*'] }] })
  start('Replay', 'again', { topicRef: { name: 'kept' } })
  await completed('again')
  const [event] = await drained('shop.keen')
  expect([event!.fields.exchange, event!.fields.routingKey]).toEqual(['shop.kept', 'a.b'])
})

test('orphans go to a target, or are discarded; only the namespace of the Broker may', async () => {
  await makeQueue('found')
  const orphan = (name: string) => ({ routingKey: `waybill.retry.shop.${name}`, body: name })
  await stage.producer.publish('waybill.return', [orphan('gone'), orphan('lost')])
  await holds('waybill.orphans', 2)
  const orphans = { orphans: broker }
  stage.folder.write('job', [
    inNamespace('other', jobFrom('Discard', 'theirs', { ...orphans, reason: 'of others' })),
    jobFrom('Replay', 'found', { ...orphans, target: { queueRef: { name: 'found' } }, maxMessages: 1 }),
  ])
  await stage.condition(discard, 'other/theirs', 'Progressing', 'False', 'NotDeclared')
  await stage.condition(replay, 'found', 'Complete', 'True', 'MaxMessagesReached')
  const [first] = await drained('shop.found')
  expect(first!.content.toString()).toBe('gone')
  start('Discard', 'lost', { ...orphans, reason: 'Its subscription is gone', selector: { reasons: ['Orphaned'] } })
  const { message } = await stage.condition(discard, 'lost', 'Complete', 'True', 'Completed')
  expect(message).toBe('1 orphan discarded')
  await holds('waybill.orphans', 0)
})
