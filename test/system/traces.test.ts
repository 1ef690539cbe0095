import { jobOf, subscriptionOf } from '../support/manifests.ts'
import { openShop, type Shop } from '../support/shop.ts'
import type { Subscriber } from '../support/subscriber.ts'
import { type CollectedSpan, startTraceCollector, type TraceCollector } from '../support/trace-collector.ts'
import { eventually } from '../support/wait.ts'
import type { Waybill } from '../support/waybill.ts'

const traceId = '0af7651916cd43dd8448eb211c80319c'
const producer = 'b7ad6b7169203331'
const secret = 'nobody-may-read-this'

const cleanUp = new AsyncDisposableStack()
let collector: TraceCollector
let shop: Shop
let subscriber: Subscriber
let waybill: Waybill

beforeAll(async () => {
  collector = cleanUp.adopt(await startTraceCollector(), ({ close }) => close())
  shop = cleanUp.use(await openShop())
  subscriber = await shop.subscriber()
  const delivery = { retry: { schedule: ['100ms', '500ms'], maxAttempts: 5 } }
  const url = `${subscriber.url}hook?token=${secret}`
  shop.folder.write('billing', [subscriptionOf('billing', 'orders', url, { delivery })])
  const env = { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url, OTEL_BSP_SCHEDULE_DELAY: '100', LOG_LEVEL: 'debug' }
  waybill = await shop.run({ env: { ...env, OTEL_SERVICE_NAME: 'shop-waybill' } })
  await shop.ready(waybill, 'billing')
})
afterAll(() => cleanUp.disposeAsync())

const publish = (messageId: string, headers: object): Promise<unknown> =>
  shop.producer.publish('shop.orders', [
    { routingKey: 'order.placed', body: secret, options: { messageId, headers: { ...headers, 'x-secret': secret } } },
  ])

/** The spans of attempts to deliver a message, in order. */
const attemptsOf = async (messageId: string, count: number): Promise<CollectedSpan[]> =>
  eventually(() => {
    const found = collector.spans.filter(({ attributes }) => attributes['messaging.message.id'] === messageId)
    return found.length === count && found
  })

test('an event that fails twice and is delivered is one trace: three attempts, linked, and the waits between them', async () => {
  subscriber.answer(({ headers }) => (Number(headers['waybill-attempt']) < 3 ? 503 : 204))
  const forged = { 'waybill-trace': '00-11111111111111111111111111111111-2222222222222222-01' }
  await publish('m-1', { traceparent: `00-${traceId}-${producer}-01`, tracestate: 'vendor=1', ...forged })
  const attempts = await attemptsOf('m-1', 3)
  const [first, second, third] = attempts as [CollectedSpan, CollectedSpan, CollectedSpan]

  expect(attempts).toMatchObject([
    {
      isError: true,
      attributes: { 'waybill.attempt': 1, 'waybill.outcome': 'retried', 'waybill.retry.delay_ms': 100 },
    },
    {
      isError: true,
      attributes: { 'waybill.attempt': 2, 'waybill.outcome': 'retried', 'waybill.retry.delay_ms': 500 },
    },
    { isError: false, attributes: { 'waybill.attempt': 3, 'waybill.outcome': 'delivered' } },
  ])
  const consumer = 5
  for (const span of attempts)
    expect(span).toMatchObject({ traceId, parentSpanId: producer, kind: consumer, service: 'shop-waybill' })
  expect(attempts.map(({ links }) => links)).toEqual([
    [],
    [{ traceId, spanId: first.spanId }],
    [{ traceId, spanId: second.spanId }],
  ])
  expect(second.attributes).toMatchObject({
    'messaging.system': 'rabbitmq',
    'messaging.operation.type': 'process',
    'messaging.destination.name': expect.stringMatching(/^shop\.orders:order\.placed:./),
    'cloudevents.event_id': 'm-1',
    'http.response.status_code': 503,
    'error.type': '503',
    'waybill.subscription': expect.stringContaining('billing'),
  })
  const waits = collector.spans.filter((span) => span.traceId === traceId && span.name.startsWith('wait '))
  expect(waits.map(({ start, end }) => [start, end])).toEqual([
    [first.end, second.start],
    [second.end, third.start],
  ])

  // The request carries the attempt's own context.
  const sent = subscriber.received.map(({ headers }) => [headers.traceparent, headers.tracestate])
  expect(sent).toEqual(attempts.map(({ spanId }) => [`00-${traceId}-${spanId}-01`, 'vendor=1']))
  const logged = waybill
    .logs()
    .split('\n')
    .filter((line) => line.includes('An attempt failed'))
  expect(logged.map((line) => JSON.parse(line))).toMatchObject([
    { traceId, spanId: first.spanId },
    { traceId, spanId: second.spanId },
  ])
})

test('a dead letter that is delivered by a Replay stays in its trace, also where no producer began one', async () => {
  subscriber.answer(() => 400)
  await publish('m-2', {})
  const [dead] = await attemptsOf('m-2', 1)
  expect(dead?.attributes).toMatchObject({
    'waybill.outcome': 'dead_lettered',
    'waybill.dead_letter.reason': 'Rejected',
  })
  subscriber.answer(() => 204)
  shop.folder.write('replay', [jobOf('Replay', 'billing')])
  const [, delivered] = await attemptsOf('m-2', 2)
  expect(delivered).toMatchObject({ traceId: dead?.traceId, links: [{ spanId: dead?.spanId }], isError: false })
  expect(delivered?.attributes['waybill.replays']).toBe(1)
  expect(subscriber.received.at(-1)?.headers.traceparent).toBe(`00-${dead?.traceId}-${delivered?.spanId}-01`)
})

test('what is not sampled by its producer is not sampled here, and the subscriber sees that', async () => {
  const unsampled = '1af7651916cd43dd8448eb211c80319c'
  await publish('m-3', { traceparent: `00-${unsampled}-${producer}-00` })
  const sent = await eventually(() => subscriber.received.find(({ headers }) => headers['ce-id'] === 'm-3'))
  expect(sent.headers.traceparent).toMatch(new RegExp(`^00-${unsampled}-[0-9a-f]{16}-00$`))
})

test('what is left is sent at the end: reconciles too, and nowhere a secret, a header or a body', async () => {
  await waybill.stop()
  const [reconcile] = collector.spans.filter(({ name }) => name === 'reconcile topology')
  expect(reconcile?.attributes).toMatchObject({ 'k8s.namespace.name': 'shop', 'waybill.controller': 'topology' })
  expect(collector.spans.filter(({ attributes }) => attributes['messaging.message.id'] === 'm-3')).toEqual([])
  expect(collector.text()).not.toContain(secret)
})
