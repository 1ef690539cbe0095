import fc from 'fast-check'
import type { Outcome } from '../../src/delivery/attempt/outcome.ts'
import { type Copy, deadLetterCopy, postponedCopy, retryCopy } from '../../src/delivery/message/copy.ts'
import { historyOf } from '../../src/delivery/message/history.ts'
import { reducedCopy } from '../../src/delivery/message/reduced-copy.ts'
import { anyMessage } from './any-message.ts'
import { fresh, messageOf, now, origin, returnExchange } from './samples.ts'

const outcome: Outcome = { kind: 'answered', status: 503 }
const retry = { do: 'retry', delayMs: 5000 } as const
const rejected = { do: 'dead-letter', reason: 'Rejected', message: 'The subscriber answered 422' } as const
const level = 'waybill.delay.5s'
const properties = {
  contentType: 'text/plain',
  contentEncoding: 'gzip',
  deliveryMode: 1,
  priority: 3,
  correlationId: 'c',
  replyTo: 'r',
  expiration: '1000',
  messageId: 'm',
  timestamp: 1,
  type: 't',
  userId: 'guest',
  appId: 'a',
  headers: {
    'x-tenant': 'a',
    'x-death': [{}],
    'x-first-death-queue': 'q',
    'x-last-death-reason': 'r',
    'x-delivery-count': 1,
    'x-acquired-count': 1,
    CC: ['a'],
    BCC: ['b'],
    'waybill-forged': 'x',
    traceparent: 't',
  },
}

describe('the copy for another attempt', () => {
  test('goes into the delay, with the queue to come back to as its key', () => {
    const message = messageOf(properties)
    const copy = retryCopy(message, origin, fresh, outcome, retry, level, now)
    expect(copy).toEqual({
      exchange: level,
      routingKey: 'waybill.sub.shop.billing',
      body: message.content,
      properties: {
        contentType: 'text/plain',
        contentEncoding: 'gzip',
        deliveryMode: 2,
        priority: 3,
        correlationId: 'c',
        replyTo: 'r',
        messageId: 'm',
        timestamp: 1,
        type: 't',
        appId: 'a',
        headers: {
          'x-tenant': 'a',
          traceparent: 't',
          'waybill-attempts': 1,
          'waybill-first-attempt': '2025-03-01T12:00:00.000Z',
          'waybill-last-attempt': '2025-03-01T12:00:00.000Z',
          'waybill-status': 503,
          'waybill-exchange': 'shop.orders',
          'waybill-routing-key': 'order.placed',
        },
      },
    })
    expect(copy.body).toBe(message.content)
  })

  test('tells the next one what came before', () => {
    const decision = { ...retry, notBefore: now + 60_000 }
    const first = retryCopy(messageOf(properties), origin, fresh, outcome, decision, level, now)
    const message = { ...messageOf(), content: first.body, properties: first.properties }
    const back = { ...message, fields: { exchange: returnExchange, routingKey: first.routingKey, redelivered: false } }
    const history = historyOf(back, returnExchange)
    expect(history).toEqual({ ...fresh, attempts: 1, firstAttempt: now, notBefore: now + 60_000 })

    const second = retryCopy(back, origin, history, outcome, retry, level, now + 60_000)
    expect(second.properties.headers).toMatchObject({
      'waybill-attempts': 2,
      'waybill-first-attempt': '2025-03-01T12:00:00.000Z',
      'waybill-last-attempt': '2025-03-01T12:01:00.000Z',
    })
    expect(second.properties.headers).not.toHaveProperty('waybill-not-before')
  })

  test('of a message that came back too early changes nothing', () => {
    const headers = { 'x-tenant': 'a', 'waybill-attempts': 2, 'waybill-not-before': 'then', 'waybill-exchange': 'e' }
    const message = messageOf({ headers: { ...headers, 'x-death': [] } }, 'x', { exchange: returnExchange })
    const copy = postponedCopy(message, origin, level)
    expect(copy).toMatchObject({ exchange: level, routingKey: origin.queue })
    expect(copy.properties.headers).toEqual(headers)
  })
})

describe('a dead letter', () => {
  test('says what happened', () => {
    const message = messageOf(properties)
    const history = { ...fresh, attempts: 2, firstAttempt: now - 1000 }
    const rejection: Outcome = { kind: 'answered', status: 422 }
    const copy = deadLetterCopy(message, origin, history, rejection, rejected, 'waybill.dlq.shop.billing', now)
    expect(copy).toMatchObject({ exchange: '', routingKey: 'waybill.dlq.shop.billing', body: message.content })
    expect(copy.properties.headers).toEqual({
      'x-tenant': 'a',
      traceparent: 't',
      'waybill-subscription': 'shop/billing',
      'waybill-queue': 'waybill.sub.shop.billing',
      'waybill-reason': 'Rejected',
      'waybill-error': 'The subscriber answered 422',
      'waybill-attempts': 3,
      'waybill-first-attempt': '2025-03-01T11:59:59.000Z',
      'waybill-last-attempt': '2025-03-01T12:00:00.000Z',
      'waybill-status': 422,
      'waybill-exchange': 'shop.orders',
      'waybill-routing-key': 'order.placed',
    })
  })

  test('that was never sent had no attempt', () => {
    const unparsable = { do: 'dead-letter', reason: 'Unparsable', message: 'why' } as const
    const copy = deadLetterCopy(
      messageOf(),
      origin,
      fresh,
      { kind: 'unsendable', message: 'why' },
      unparsable,
      'dlq',
      now,
    )
    expect(copy.properties.headers).toMatchObject({ 'waybill-attempts': 0, 'waybill-reason': 'Unparsable' })
    expect(copy.properties.headers).not.toHaveProperty('waybill-last-attempt')
  })

  test('has an error of at most 2 KiB', () => {
    const message = '€'.repeat(5000)
    const copy = deadLetterCopy(messageOf(), origin, fresh, outcome, { ...rejected, message }, 'dlq', now)
    const error = String(copy.properties.headers['waybill-error'])
    expect(Buffer.byteLength(error)).toBeLessThanOrEqual(2048)
  })
})

const isBrokers = (name: string): boolean =>
  /^x-(death|first-death|last-death|delivery-count|acquired)|^B?CC$/.test(name)

test('any copy keeps the body and what is foreign, and nothing of the broker', () => {
  fc.assert(
    fc.property(anyMessage, (message) => {
      const history = historyOf(message, returnExchange)
      const copies: Copy[] = [
        retryCopy(message, origin, history, outcome, retry, level, now),
        postponedCopy(message, origin, level),
        deadLetterCopy(message, origin, history, outcome, rejected, 'dlq', now),
      ]
      const foreign = Object.entries(message.properties.headers ?? {}).filter(
        ([name]) => !isBrokers(name) && !name.startsWith('waybill-'),
      )
      for (const { body, properties } of copies) {
        expect(body).toBe(message.content)
        for (const [name, value] of foreign) expect(Object.is(properties.headers[name], value)).toBe(true)
        expect(Object.keys(properties.headers).filter(isBrokers)).toEqual([])
        expect(properties).not.toHaveProperty('expiration')
        expect(properties).not.toHaveProperty('userId')
        expect(properties.deliveryMode).toBe(2)
        expect(properties.messageId).toBe(message.properties.messageId)
      }
    }),
  )
})

describe('a reduced copy', () => {
  const reduce = (headers: Record<string, unknown>, more = {}): Copy =>
    reducedCopy(deadLetterCopy(messageOf({ ...more, headers }), origin, fresh, outcome, rejected, 'dlq', now))

  test('keeps CloudEvents and our own, and counts the rest', () => {
    const { properties } = reduce({
      'ce-id': '1',
      'cloudEvents:type': 't',
      'x-tenant': 'a',
      'ce-nan': Number.NaN,
      list: [],
    })
    expect(properties.headers).toMatchObject({ 'ce-id': '1', 'cloudEvents:type': 't', 'waybill-headers-dropped': 3 })
    expect(properties.headers).toHaveProperty('waybill-reason', 'Rejected')
    expect(Object.keys(properties.headers)).not.toContain('x-tenant')
  })

  test('fits, and what happened stays before anything else', () => {
    const many = Object.fromEntries(Array.from({ length: 100 }, (_, at) => [`ce-a${at}`, 'x'.repeat(2000)]))
    const { headers } = reduce(many).properties
    expect(JSON.stringify(headers).length).toBeLessThan(64 * 1024)
    expect(headers).toHaveProperty('waybill-error')
    expect(Object.keys(headers).length).toBeGreaterThan(20)
  })

  test('is remembered on every later copy', () => {
    const once = reduce({ list: [] }).properties
    const again = retryCopy(messageOf(once), origin, fresh, outcome, retry, level, now)
    expect(again.properties.headers).toHaveProperty('waybill-headers-dropped', 1)
    expect(reducedCopy(again).properties.headers).toHaveProperty('waybill-headers-dropped', 1)
  })

  test('drops a property that has become too long', () => {
    const { properties } = reduce({}, { messageId: '\uFFFD'.repeat(86), correlationId: 'c' })
    expect(properties).not.toHaveProperty('messageId')
    expect(properties).toMatchObject({ correlationId: 'c', deliveryMode: 2 })
  })
})
