import { attemptAfter } from '../../src/delivery/attempt/attempt.ts'
import type { Outcome } from '../../src/delivery/attempt/outcome.ts'
import { toEvent } from '../../src/delivery/event/event.ts'
import { endAttempt, startAttempt } from '../../src/dispatcher/pipeline/traced.ts'
import type { SpanAttributes, SpanStart } from '../../src/telemetry/tracing.ts'
import { eventHeaders, fresh, messageOf } from '../delivery/samples.ts'

const route = { id: 'Subscription/shop/billing', queue: 'waybill.sub.shop.billing' }
const [producers, ours] = [1, 2].map((digit) => `00-${`${digit}`.repeat(32)}-${`${digit}`.repeat(16)}-01`)
const context = { traceparent: `00-${'3'.repeat(32)}-${'3'.repeat(16)}-01` }

type Begun = Omit<SpanStart, 'attributes'> & { readonly attributes?: SpanAttributes }

/** The spans that an attempt at this message begins, with the attributes of those that are recorded. */
const begun = (traceparent: string | undefined, history: object = {}, isRecorded = true): Begun[] => {
  const spans: Begun[] = []
  const message = messageOf({ headers: eventHeaders('cloudEvents:', { traceparent }) })
  const all = { ...fresh, ...history }
  const tracing = {
    start: ({ attributes, ...span }: SpanStart) => {
      spans.push({ ...span, ...(isRecorded ? { attributes: attributes() } : {}) })
      return { context, isRecorded, end: () => undefined }
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
    { name: 'process waybill.sub.shop.billing', parent: { traceparent: producers }, link: ours, at: 5_000 },
    { name: 'wait waybill.sub.shop.billing', parent: { traceparent: producers }, link: ours, at: 4_000 },
  ])
  expect(begun('00-zz', history)[0]).toMatchObject({ parent: { traceparent: ours }, link: ours })
  expect(begun(producers, { ...history, trace: ours?.replace(/01$/, '00') })[0]).toMatchObject({ link: undefined })
})

test('of what is not sampled nothing is said, and no wait, unless that begins a trace of its own', () => {
  const history = { attempts: 1, lastAttempt: 4_000 }
  const names = (...all: Parameters<typeof begun>) => begun(...all).map(({ name }) => name.split(' ')[0])
  expect(names(producers, history, false)).toEqual(['process'])
  expect(names('00-zz', { ...history, trace: ours }, false)).toEqual(['process'])
  expect(names('00-zz', history, false)).toEqual(['process', 'wait'])
})

test('the destination is exchange, routing key and queue, without what is empty or said twice', () => {
  const named = (exchange: string, routingKey: string) =>
    begun(undefined, { exchange, routingKey })[0]?.attributes?.['messaging.destination.name']
  expect(named('shop.orders', 'order.placed')).toBe('shop.orders:order.placed:waybill.sub.shop.billing')
  expect(named('shop.orders', '')).toBe('shop.orders:waybill.sub.shop.billing')
  expect(named('', route.queue)).toBe('waybill.sub.shop.billing')
})

const ended = (outcome: Outcome): (SpanAttributes | string | undefined)[] => {
  const found: (SpanAttributes | string | undefined)[] = []
  const end = (_: number, attributes: () => SpanAttributes, error?: string) => void found.push(error, attributes())
  endAttempt(
    { context, isRecorded: true, end },
    outcome,
    { do: 'dead-letter', reason: 'Rejected', message: 'secret' },
    5_000,
  )
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
