import fc from 'fast-check'
import { type Attempt, attemptAfter } from '../../src/delivery/attempt/attempt.ts'
import { type Outcome, outcomeText } from '../../src/delivery/attempt/outcome.ts'
import { type Decision, decide, decideBefore, returnLimit } from '../../src/delivery/decide.ts'
import { historyOf } from '../../src/delivery/message/history.ts'
import { termsOf } from '../../src/delivery/terms.ts'
import { anyMessage } from './any-message.ts'
import { attemptOn, fresh, messageOf, now, returnExchange, subscriptionOf, whence } from './samples.ts'

const terms = termsOf(subscriptionOf())
const answered = (status: number, retryAfterMs?: number): Outcome =>
  retryAfterMs === undefined ? { kind: 'answered', status } : { kind: 'answered', status, retryAfterMs }
const timeout: Outcome = { kind: 'failed', failure: 'timeout', message: 'No answer within 30s' }
/** The attempt after as many others. */
const afterAttempts = (attempts: number, firstAttempt = now): Attempt => attemptOn({ ...fresh, attempts, firstAttempt })
const summary = (decision: Decision): string =>
  'reason' in decision ? `${decision.do} ${decision.reason}` : decision.do

describe('the terms of a subscription', () => {
  test('the terms of a subscription are in milliseconds', () => {
    expect(terms).toMatchObject({
      timeoutMs: 30_000,
      concurrency: 10,
      scheduleMs: [5_000, 30_000, 120_000, 600_000, 1_800_000, 3_600_000, 10_800_000],
      maxAttempts: 8,
      maxAgeMs: 86_400_000,
      retryAfterMaxMs: 3_600_000,
    })
  })

  const rules: { name: string; retry: object; onGone?: string; expected: Record<number, string> }[] = [
    {
      name: 'by default',
      retry: {},
      expected: {
        ...{ 301: 'retry', 400: 'dead-letter', 401: 'retry', 404: 'retry', 405: 'dead-letter', 408: 'retry' },
        ...{ 410: 'suspend', 413: 'dead-letter', 415: 'dead-letter', 418: 'retry', 422: 'dead-letter', 429: 'retry' },
        ...{ 500: 'retry', 503: 'retry' },
      },
    },
    {
      name: 'an exact code takes precedence over a class, retryOn over deadLetterOn',
      retry: { retryOn: ['5xx', '404', '409'], deadLetterOn: ['4xx', '501', '5xx', '409'] },
      expected: { 400: 'dead-letter', 404: 'retry', 409: 'retry', 500: 'retry', 501: 'dead-letter', 302: 'retry' },
    },
    {
      name: 'a class does not include 410, which onGone decides',
      retry: { deadLetterOn: ['4xx'] },
      expected: { 410: 'suspend' },
    },
    { name: 'onGone: DeadLetter', retry: {}, onGone: 'DeadLetter', expected: { 410: 'give-up' } },
    {
      name: 'an exact 410 in retryOn takes precedence over onGone',
      retry: { retryOn: ['410'] },
      expected: { 410: 'retry' },
    },
    {
      name: 'an exact 410 in deadLetterOn takes precedence over onGone',
      retry: { deadLetterOn: ['410'] },
      expected: { 410: 'dead-letter' },
    },
  ]
  test.each(rules)(
    'the terms of a subscription define the answers that lead to a retry: $name',
    ({ retry, onGone = 'Suspend', expected }) => {
      const { consequences } = termsOf(subscriptionOf({ retry, onGone }))
      const found = Object.fromEntries(Object.keys(expected).map((status) => [status, consequences[Number(status)]]))
      expect(found).toEqual(expected)
    },
  )
})

describe('a decision', () => {
  const cases: { name: string; outcome: Outcome; attempt?: Attempt; expected: Decision }[] = [
    { name: '2xx is acknowledged', outcome: { kind: 'delivered', status: 202 }, expected: { do: 'acknowledge' } },
    { name: '503 is retried', outcome: answered(503), expected: { do: 'retry', delayMs: 5_000 } },
    {
      name: 'a timeout is retried',
      outcome: timeout,
      attempt: afterAttempts(2),
      expected: { do: 'retry', delayMs: 120_000 },
    },
    {
      name: 'a status that is not in the table is retried',
      outcome: answered(999),
      expected: { do: 'retry', delayMs: 5_000 },
    },
    {
      name: 'a Retry-After longer than the schedule is honoured',
      outcome: answered(429, 60_000),
      expected: { do: 'retry', delayMs: 60_000 },
    },
    {
      name: 'a Retry-After shorter than the schedule changes nothing',
      outcome: answered(429, 1_000),
      expected: { do: 'retry', delayMs: 5_000 },
    },
    {
      name: 'a Retry-After beyond retryAfterMax is capped',
      outcome: answered(503, 1e15),
      expected: { do: 'retry', delayMs: 3_600_000 },
    },
    {
      name: '422 is rejected',
      outcome: answered(422),
      expected: { do: 'dead-letter', reason: 'Rejected', message: 'The subscriber answered 422' },
    },
    { name: '410 suspends the subscription', outcome: answered(410), expected: { do: 'suspend' } },
    {
      name: 'an abandoned attempt requeues the message',
      outcome: { kind: 'abandoned' },
      expected: { do: 'requeue' },
    },
    {
      name: 'a message that cannot be sent is unparsable',
      outcome: { kind: 'unsendable', message: 'why' },
      expected: { do: 'dead-letter', reason: 'Unparsable', message: 'why' },
    },
    {
      name: 'the last attempt exhausts the message',
      outcome: timeout,
      attempt: afterAttempts(7),
      expected: { do: 'dead-letter', reason: 'Exhausted', message: 'No answer within 30s; given up after 8 attempts' },
    },
    {
      name: 'a message whose next attempt would come too late expires',
      outcome: answered(503),
      attempt: afterAttempts(2, now - 86_400_000 + 119_999),
      expected: {
        do: 'dead-letter',
        reason: 'Expired',
        message: 'The subscriber answered 503; the next attempt would come more than 24h after the first',
      },
    },
    {
      name: 'a message whose next attempt comes just in time does not expire',
      outcome: answered(503),
      attempt: afterAttempts(2, now - 86_400_000 + 120_000),
      expected: { do: 'retry', delayMs: 120_000 },
    },
  ]
  test.each(cases)('the decision after an attempt: $name', ({ outcome, attempt = attemptOn(), expected }) => {
    expect(decide(outcome, attempt, terms, now)).toEqual(expected)
  })

  test('the last delay of the retry schedule repeats', () => {
    const short = termsOf(subscriptionOf({ retry: { schedule: ['1s', '2s'], maxAttempts: 5 } }))
    const delays = [0, 1, 2, 3].map((attempts) => decide(timeout, afterAttempts(attempts), short, now))
    expect(delays.map((decision) => 'delayMs' in decision && decision.delayMs)).toEqual([1000, 2000, 2000, 2000])
  })

  test('a subscription with maxAttempts: 1 does not retry', () => {
    const once = termsOf(subscriptionOf({ retry: { maxAttempts: 1 } }))
    expect(summary(decide(timeout, attemptOn(), once, now))).toBe('dead-letter Exhausted')
  })

  const anyOutcome: fc.Arbitrary<Outcome> = fc.oneof(
    fc.integer({ min: 300, max: 999 }).map((status) => answered(status)),
    fc.tuple(fc.integer({ min: 300, max: 599 }), fc.nat()).map(([status, wait]) => answered(status, wait)),
    fc.constant(timeout),
  )

  test('a message that no attempt delivers is dead-lettered within maxAttempts and maxAge', () => {
    const someTerms = fc
      .record({ maxAttempts: fc.integer({ min: 1, max: 20 }), maxAge: fc.constantFrom('1s', '1h', '24h') })
      .map((retry) => termsOf(subscriptionOf({ retry, onGone: 'DeadLetter' })))
    fc.assert(
      fc.property(someTerms, fc.infiniteStream(anyOutcome), (given, outcomes) => {
        let at = now
        let attempts = 0
        for (const outcome of outcomes) {
          const decision = decide(outcome, afterAttempts(attempts), given, at)
          attempts += 1
          expect(attempts).toBeLessThanOrEqual(given.maxAttempts)
          if (decision.do !== 'retry') return expect(decision.do).toBe('dead-letter')
          at += decision.delayMs
          expect(at - now).toBeLessThanOrEqual(given.maxAgeMs)
        }
      }),
    )
  })
})

describe('the history of a message', () => {
  const headers = {
    'waybill-attempts': 2,
    'waybill-first-attempt': '2025-03-01T11:00:00.000Z',
    'waybill-not-before': '2025-03-01T12:00:30.000Z',
    'waybill-expires': '2025-03-01T12:01:00.000Z',
    'waybill-priority': 9,
    'waybill-exchange': 'shop.orders',
    'waybill-routing-key': 'order.placed',
  }
  const back = { exchange: returnExchange, routingKey: 'waybill.sub.shop.billing' }

  test('a new message has no history', () => {
    expect(historyOf(messageOf(), whence)).toEqual({
      ...{ attempts: 0, redeliveries: 0, firstAttempt: undefined, notBefore: undefined },
      ...{ expiresAt: undefined, timeToLiveMs: undefined, priority: undefined },
      exchange: 'shop.orders',
      routingKey: 'order.placed',
    })
  })

  test('a message that came back from a delay has the history of its headers', () => {
    expect(historyOf(messageOf({ headers }, '', back), whence)).toEqual({
      ...{ attempts: 2, redeliveries: 0, firstAttempt: now - 3_600_000, notBefore: now + 30_000 },
      ...{ expiresAt: now + 60_000, timeToLiveMs: undefined, priority: 9 },
      exchange: 'shop.orders',
      routingKey: 'order.placed',
    })
  })

  test('a dead letter that was put back starts anew and keeps its origin', () => {
    const found = historyOf(messageOf({ headers }, '', { exchange: '', routingKey: 'q' }), whence)
    expect(found).toEqual(fresh)
  })

  test('what came through an exchange does not choose its origin: its producer wrote it', () => {
    const forged = { ...headers, 'waybill-exchange': 'bank.transfers' }
    expect(historyOf(messageOf({ headers: forged }), whence)).toEqual(fresh)
  })

  test('headers of wrong types are no history', () => {
    const forged = Object.fromEntries(Object.keys(headers).map((name) => [name, { '!': 'timestamp', value: 1 }]))
    expect(historyOf(messageOf({ headers: forged }, '', back), whence)).toEqual({ ...fresh, ...back })
    for (const attempts of [-1, 1.5, { '!': 'double', value: Number.NaN }, { '!': 'long', value: 2 ** 60 }, '2']) {
      const found = historyOf(messageOf({ headers: { ...headers, 'waybill-attempts': attempts } }, '', back), whence)
      expect(found.attempts).toBe(0)
    }
  })

  test('any message has a history, and a decision for it', () => {
    fc.assert(
      fc.property(anyMessage, (message) => {
        const history = historyOf(message, whence)
        expect(history.attempts).toBeGreaterThanOrEqual(0)
        expect(['retry', 'dead-letter']).toContain(decide(timeout, attemptOn(history), terms, now).do)
        decideBefore(history, terms, now)
      }),
    )
  })

  test.each([
    ['no time was set', undefined, undefined],
    ['its time has not come', now + 1, 1],
    ['its time is now', now, undefined],
    ['its time has passed', now - 1, undefined],
    ['the schedule asks for more than a Retry-After may', now + 10_800_000, 10_800_000],
    ['these terms would not wait so long', now + 10_800_001, undefined],
  ])('the rest of the wait of a message that came back is computed, where %s', (_, notBefore, expected) => {
    const decision = decideBefore({ ...fresh, notBefore }, terms, now)
    expect(decision && 'delayMs' in decision ? decision.delayMs : undefined).toBe(expected)
  })
})

test.each([
  [301, 'The subscriber answered 301, a redirect, which is not followed: set the final address'],
  [308, 'The subscriber answered 308, a redirect, which is not followed: set the final address'],
  [304, 'The subscriber answered 304'],
])('an answer of %i is described as %j', (status, expected) => {
  expect(outcomeText(answered(status))).toBe(expected)
})

describe('a message with a time to live', () => {
  const attemptWith = (expiration: string | undefined, timeToLiveMs?: number): Attempt =>
    attemptAfter(historyOf(messageOf({ expiration }), { ...whence, timeToLiveMs }), now)

  test.each([
    ['none', undefined, undefined, undefined],
    ['its own', '7000', undefined, 7000],
    ["its queue's", undefined, 9000, 9000],
    ['the shorter of both', '7000', 9000, 7000],
    ['the shorter of both', '7000', 1000, 1000],
    ['none that a broker would read', '-1', undefined, undefined],
  ])('the time to live that counts is %s', (_, expiration, ofQueue, expected) => {
    const { expiresAt } = attemptWith(expiration, ofQueue)
    expect(expiresAt).toBe(expected === undefined ? undefined : now + expected)
  })

  test('a message whose next attempt would come after its time to live is dead-lettered at once', () => {
    expect(decide(timeout, attemptWith('5001'), terms, now)).toMatchObject({ do: 'retry', delayMs: 5000 })
    const expired = decide(timeout, attemptWith('5000'), terms, now)
    expect(expired).toEqual({
      do: 'dead-letter',
      reason: 'Expired',
      message: 'No answer within 30s; the time to live of the message ends before the next attempt',
    })
    expect(decide(answered(422), attemptWith('5000'), terms, now)).toMatchObject({ reason: 'Rejected' })
  })

  test('a message that came back after its time to live is not delivered late', () => {
    const history = { ...fresh, expiresAt: now }
    expect(decideBefore(history, terms, now - 1)).toBeUndefined()
    expect(decideBefore(history, terms, now)).toEqual({
      do: 'dead-letter',
      reason: 'Expired',
      message: 'The time to live of the message ended at 2025-03-01T12:00:00.000Z',
    })
  })
})

describe('a message that crashes its dispatchers', () => {
  const returned = (count: unknown, redelivered = true, countsDeliveries = true) => {
    const message = messageOf({ headers: { 'x-delivery-count': count } }, '', { redelivered })
    return decideBefore(historyOf(message, { ...whence, countsDeliveries }), terms, now)
  }

  test.each([
    { before: 0, count: undefined, decision: undefined },
    { before: 0, count: 2, decision: undefined },
    { before: 2, count: undefined, decision: undefined },
    { before: 0, count: 3, decision: 'dead-letter DeliveryLimit' },
    { before: 2, count: 1, decision: 'dead-letter DeliveryLimit' },
    { before: 2, count: 1, outlived: true, decision: undefined },
    { before: 'many', count: 20, decision: 'dead-letter DeliveryLimit' },
  ])('a suspect that came back $before times before and $count times now: $decision', (given) => {
    const headers = { 'waybill-suspect': given.before, 'x-delivery-count': given.count }
    const back = messageOf({ headers }, '', { exchange: returnExchange, redelivered: true })
    const decision = decideBefore(historyOf(back, whence), terms, now, given.outlived)
    expect(decision && summary(decision)).toBe(given.decision)
  })

  test('a producer cannot make a suspect', () => {
    const headers = { 'waybill-suspect': 3, 'x-delivery-count': 3 }
    expect(
      decideBefore(historyOf(messageOf({ headers }, '', { redelivered: true }), whence), terms, now),
    ).toBeUndefined()
  })

  test('a message is tried until it was redelivered too often, and is a suspect then', () => {
    expect(returned(returnLimit - 1)).toBeUndefined()
    expect(returned(returnLimit)).toEqual({ do: 'isolate', deaths: 0, delayMs: 0 })
  })

  test.each([
    { what: 'a count that is not a number', count: 'many', redelivered: true },
    { what: 'a count that the producer wrote', count: 1000, redelivered: false },
    { what: 'a count on a queue that does not count', count: 1000, redelivered: true, countsDeliveries: false },
  ])('a message that may crash its dispatchers is tried with $what', ({ count, redelivered, countsDeliveries }) => {
    expect(returned(count, redelivered, countsDeliveries)).toBeUndefined()
  })
})
