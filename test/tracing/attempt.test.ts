import { attemptAfter } from '../../src/delivery/attempt/attempt.ts'
import type { Outcome } from '../../src/delivery/attempt/outcome.ts'
import { toEvent } from '../../src/delivery/event/event.ts'
import { endAttempt, startAttempt } from '../../src/dispatcher/pipeline/traced.ts'
import type { SpanAttributes, SpanStart } from '../../src/telemetry/tracing.ts'
import { eventHeaders, fresh, messageOf } from '../delivery/samples.ts'

const route = { id: 'Subscription/shop/billing', queue: 'waybill.sub.shop.billing' }
const [producers, ours] = [1, 2].map((digit) => `00-${`${digit}`.repeat(32)}-${`${digit}`.repeat(16)}-01`)
const context = { traceparent: `00-${'3'.repeat(32)}-${'3'.repeat(16)}-01` }

/** The spans that an attempt at this message begins. */
const begun = (traceparent: string | undefined, history: object = {}, headers: object = {}): SpanStart[] => {
  const spans: SpanStart[] = []
  const message = messageOf({ headers: { ...eventHeaders('cloudEvents:', { traceparent }), ...headers } })
  const all = { ...fresh, ...history }
  const tracing = {
    start: (span: SpanStart) => {
      spans.push(span)
      return { context, end: () => undefined }
    },
    close: async () => true,
  }
  startAttempt(tracing, { route, message, event: toEvent(message, all), attempt: attemptAfter(all, 5_000) })
  return spans
}

test('a first attempt is part of the trace of its producer, and is linked to nothing', () => {
  const parent = { traceparent: producers, tracestate: undefined }
  expect(begun(producers)).toMatchObject([{ kind: 'consumer', parent, link: undefined, at: 5_000 }])
  expect(begun('00-zz')).toMatchObject([{ parent: undefined }])
})

test('a later one is linked to the one before, and is part of its trace where there is no other', () => {
  const history = { attempts: 1, lastAttempt: 4_000, trace: ours }
  expect(begun(producers, history)).toMatchObject([
    { name: 'wait waybill.sub.shop.billing', parent: { traceparent: producers }, link: ours, at: 4_000 },
    { name: 'process waybill.sub.shop.billing', parent: { traceparent: producers }, link: ours, at: 5_000 },
  ])
  expect(begun('00-zz', history)[1]).toMatchObject({ parent: { traceparent: ours }, link: ours })
  expect(begun(producers, { ...history, trace: ours?.replace(/01$/, '00') })[1]).toMatchObject({ link: undefined })
})

test('the destination is exchange, routing key and queue, without what is empty or said twice', () => {
  const named = (exchange: string, routingKey: string) =>
    begun(undefined, { exchange, routingKey })[0]?.attributes['messaging.destination.name']
  expect(named('shop.orders', 'order.placed')).toBe('shop.orders:order.placed:waybill.sub.shop.billing')
  expect(named('shop.orders', '')).toBe('shop.orders:waybill.sub.shop.billing')
  expect(named('', route.queue)).toBe('waybill.sub.shop.billing')
})

const ended = (outcome: Outcome): (SpanAttributes | string | undefined)[] => {
  const found: (SpanAttributes | string | undefined)[] = []
  const end = (_: number, attributes: SpanAttributes, error?: string) => void found.push(error, attributes)
  endAttempt({ context, end }, outcome, { do: 'dead-letter', reason: 'Rejected', message: 'secret' }, 5_000)
  return found
}

test.each<[Outcome, string | undefined]>([
  [{ kind: 'delivered', status: 204 }, undefined],
  [{ kind: 'answered', status: 503, problem: 'secret' }, '503'],
  [{ kind: 'failed', failure: 'timeout', message: 'secret' }, 'Timeout'],
  [{ kind: 'unsendable', message: 'secret' }, 'Unsendable'],
  [{ kind: 'abandoned' }, 'Abandoned'],
])('how an attempt ended is said in one of few words: %j', (outcome, error) => {
  const [found, attributes] = ended(outcome)
  expect(found).toBe(error)
  expect(attributes).toMatchObject({ 'waybill.outcome': 'dead_lettered', 'waybill.dead_letter.reason': 'Rejected' })
  expect(JSON.stringify(attributes)).not.toContain('secret')
})
