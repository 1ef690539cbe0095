import { parse } from 'yaml'
import { kinds } from '../../src/api/kinds/kinds.ts'
import { topic as topicKind } from '../../src/api/kinds/topic.ts'
import { resourceRoutes } from '../../src/server/resources.ts'
import { startServer } from '../../src/server/server.ts'
import { openDirectory } from '../../src/store/directory/store.ts'
import { folder, memoryLog, secret, topic } from '../store/manifests.ts'
import { waybill } from './waybill.ts'

const stop = new AbortController()
const files = folder()
let server = ''
afterAll(() => {
  stop.abort()
  files.close()
})

beforeAll(async () => {
  await files.write(
    'a.yaml',
    `${topic('orders')}---\n${topic('bills', undefined, ', namespace: shop')}---\n${secret('s', 'hunter2')}`,
  )
  await files.write(
    'b.yaml',
    'apiVersion: waybill.dev/v1alpha1\nkind: DeadLetterPolicy\nmetadata: { name: keep }\nspec: {}\n',
  )
  const store = await openDirectory([files.path], { log: memoryLog() }, stop.signal)
  const ready = { type: 'Ready', status: 'False', reason: 'NotResolved', message: '', lastTransitionTime: '' } as const
  await store.applyStatus(topicKind, store.get(topicKind, 'default', 'orders')!, 'waybill-operator', {
    exchange: 'default.orders',
    subscriptions: 2,
    conditions: [{ ...ready, type: 'Accepted', status: 'True' }, ready],
  })
  const served = kinds.map((kind) => ({ kind: kind.kind, plural: kind.plural, list: () => store.list(kind) }))
  const routes = [resourceRoutes('waybill.dev/v1alpha1', served)]
  server = (await startServer({ listen: '127.0.0.1:0', routes }, stop.signal)).url
})

const get = async (...args: string[]) => {
  const { code, out, err } = await waybill('get', ...args, '--server', server)
  if (code !== 0) throw new Error(err)
  return out
}

test.each(['topics', 'topic', 'Topic', 'wbt', 'topics.waybill.dev'])(
  'get accepts %s as the name of a kind',
  async (name) => {
    const [heads, ...rows] = (await get(name)).trimEnd().split('\n')
    expect(heads).toMatch(/^NAMESPACE {3}NAME {5}READY {3}EXCHANGE {9}SUBSCRIPTIONS {3}UNROUTED {3}AGE$/)
    expect(rows).toHaveLength(2)
    expect(rows[0]).toMatch(/^default {5}orders {3}False {3}default\.orders {3}2 {26}\d+s$/)
    expect(rows[1]).toMatch(/^shop {8}bills +\d+s$/)
  },
)

test('get -o wide shows more columns', async () => {
  expect(await get('topics', '-o', 'wide', '-n', 'default')).toMatch(
    /BROKER +REASON +AGE +MESSAGE\n.*main +NotResolved +\d+s\s*\n$/,
  )
})

test('get without a kind shows all kinds, each with its own columns', async () => {
  const out = await get()
  expect(out).toMatch(/topic\.waybill\.dev\/orders/)
  expect(out).toMatch(
    /\n\nNAMESPACE {3}NAME +READY +SUBSCRIPTIONS +DEFAULT +AGE\ndefault +deadletterpolicy\.waybill\.dev\/keep +false +\d+s\n$/,
  )
})

test('get -o json prints a List for a kind and the object for a name', async () => {
  const list = JSON.parse(await get('topics', '-o', 'json'))
  expect(list).toMatchObject({ apiVersion: 'v1', kind: 'List' })
  expect(list.items.map((item: { metadata: { name: string } }) => item.metadata.name)).toEqual(['orders', 'bills'])
  const one = JSON.parse(await get('topic', 'bills', '-n', 'shop', '-o', 'json'))
  expect(one).toMatchObject({ kind: 'Topic', metadata: { name: 'bills', namespace: 'shop', generation: 1 } })
  expect(parse(await get('topic', 'bills', '-o', 'yaml'))).toEqual(one)
  expect(JSON.parse(await get('subscriptions', '-o', 'json')).items).toEqual([])
})

test.each(['topic/bills', 'topic.waybill.dev/bills'])(
  'get accepts %s, as it is printed, for one resource',
  async (name) => {
    expect(await get(name, '-o', 'json')).toBe(await get('topic', 'bills', '-o', 'json'))
  },
)

test('get does not show Secrets', async () => {
  expect(await get('-o', 'json')).not.toContain('hunter2')
  expect((await fetch(`${server}/apis/waybill.dev/v1alpha1/secrets`)).status).toBe(404)
  expect((await fetch(`${server}/api/v1/secrets`)).status).toBe(404)
})

test.each([
  [['topic', 'nothing', '-n', 'shop'], 'Error: topics "nothing" not found in namespace shop\n'],
  [['colours'], 'Error: unknown kind "colours": choose one of brokers (wbb), topics (wbt), queues (wbq)'],
])('get with arguments %j exits with 1', async (args, message) => {
  const { code, out, err } = await waybill('get', ...args, '--server', server)
  expect([code, out, err.slice(0, message.length)]).toEqual([1, '', message])
})

test('get without a server that answers explains how to start one', async () => {
  const { code, err } = await waybill('get', '--server', 'http://127.0.0.1:1')
  expect(code).toBe(1)
  expect(err).toMatch(
    /^Error: no Waybill server answers at http:\/\/127\.0\.0\.1:1 .*: start one with waybill run -f PATH/,
  )
})

test('get without any resources prints that there are none', async () => {
  const { code, out, err } = await waybill('get', 'queues', '--server', server)
  expect([code, out, err]).toEqual([0, '', 'No resources found in any namespace\n'])
})
