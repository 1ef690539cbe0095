import fc from 'fast-check'
import type { Outcome } from '../../src/delivery/attempt/outcome.ts'
import { type Copy, deadLetterCopy, postponedCopy, retryCopy } from '../../src/delivery/message/copy.ts'
import { historyOf } from '../../src/delivery/message/history.ts'
import { reducedCopy } from '../../src/delivery/message/reduced-copy.ts'
import { anyMessage } from './any-message.ts'
import { endedOf, fresh, messageOf, now, origin, returnExchange } from './samples.ts'

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
  test('a retry copy is sent to the delay, with the queue that it returns to as its routing key', () => {
    const message = messageOf(properties)
    const copy = retryCopy(message, origin, endedOf(outcome), retry, level)
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

  test('the headers of a retry copy give the next attempt its history', () => {
    const decision = { ...retry, notBefore: now + 60_000 }
    const first = retryCopy(messageOf(properties), origin, endedOf(outcome), decision, level)
    const message = { ...messageOf(), content: first.body, properties: first.properties }
    const back = { ...message, fields: { exchange: returnExchange, routingKey: first.routingKey, redelivered: false } }
    const history = historyOf(back, returnExchange)
    expect(history).toEqual({ ...fresh, attempts: 1, firstAttempt: now, lastAttempt: now, notBefore: now + 60_000 })

    const second = retryCopy(back, origin, endedOf(outcome, history, now + 60_000), retry, level)
    expect(second.properties.headers).toMatchObject({
      'waybill-attempts': 2,
      'waybill-first-attempt': '2025-03-01T12:00:00.000Z',
      'waybill-last-attempt': '2025-03-01T12:01:00.000Z',
    })
    expect(second.properties.headers).not.toHaveProperty('waybill-not-before')
  })

  test('the copy of a message that came back too early changes nothing about it', () => {
    const headers = { 'x-tenant': 'a', 'waybill-attempts': 2, 'waybill-not-before': 'then', 'waybill-exchange': 'e' }
    const message = messageOf({ headers: { ...headers, 'x-death': [] } }, 'x', { exchange: returnExchange })
    const copy = postponedCopy(message, origin, level)
    expect(copy).toMatchObject({ exchange: level, routingKey: origin.queue })
    expect(copy.properties.headers).toEqual(headers)
  })
})

describe('a dead letter', () => {
  test('a dead letter has headers that describe what happened', () => {
    const message = messageOf(properties)
    const history = { ...fresh, attempts: 2, firstAttempt: now - 1000 }
    const rejection: Outcome = { kind: 'answered', status: 422 }
    const copy = deadLetterCopy(message, origin, endedOf(rejection, history), rejected, 'waybill.dlq.shop.billing')
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

  test('a dead letter that was never sent has no attempt', () => {
    const unparsable = { do: 'dead-letter', reason: 'Unparsable', message: 'why' } as const
    const ended = endedOf({ kind: 'unsendable', message: 'why' })
    const copy = deadLetterCopy(messageOf(), origin, ended, unparsable, 'dlq')
    expect(copy.properties.headers).toMatchObject({ 'waybill-attempts': 0, 'waybill-reason': 'Unparsable' })
    expect(copy.properties.headers).not.toHaveProperty('waybill-last-attempt')
  })

  test('a dead letter that was refused before an attempt keeps the attempts made before', () => {
    const limit = { do: 'dead-letter', reason: 'DeliveryLimit', message: 'why' } as const
    const history = { ...fresh, attempts: 2, firstAttempt: now - 1000 }
    const { headers } = deadLetterCopy(messageOf(), origin, endedOf(undefined, history), limit, 'dlq').properties
    expect(headers).toMatchObject({ 'waybill-attempts': 2, 'waybill-first-attempt': '2025-03-01T11:59:59.000Z' })
    expect(headers).not.toHaveProperty('waybill-last-attempt')
    expect(headers).not.toHaveProperty('waybill-status')
  })

  test('the error of a dead letter has at most 2 KiB', () => {
    const message = '€'.repeat(5000)
    const copy = deadLetterCopy(messageOf(), origin, endedOf(outcome), { ...rejected, message }, 'dlq')
    const error = String(copy.properties.headers['waybill-error'])
    expect(Buffer.byteLength(error)).toBeLessThanOrEqual(2048)
  })
})

const isBrokers = (name: string): boolean =>
  /^x-(death|first-death|last-death|delivery-count|acquired)|^B?CC$/.test(name)

test('any copy keeps the body and the foreign headers, and no header of the broker', () => {
  fc.assert(
    fc.property(anyMessage, (message) => {
      const history = historyOf(message, returnExchange)
      const copies: Copy[] = [
        retryCopy(message, origin, endedOf(outcome, history), retry, level),
        postponedCopy(message, origin, level),
        deadLetterCopy(message, origin, endedOf(outcome, history), rejected, 'dlq'),
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
    reducedCopy(deadLetterCopy(messageOf({ ...more, headers }), origin, endedOf(outcome), rejected, 'dlq'))

  test('a reduced copy keeps the headers of CloudEvents and Waybill, and counts the others', () => {
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

  test('a reduced copy fits into AMQP, and keeps the headers about what happened before any others', () => {
    const many = Object.fromEntries(Array.from({ length: 100 }, (_, at) => [`ce-a${at}`, 'x'.repeat(2000)]))
    const { headers } = reduce(many).properties
    expect(JSON.stringify(headers).length).toBeLessThan(64 * 1024)
    expect(headers).toHaveProperty('waybill-error')
    expect(Object.keys(headers).length).toBeGreaterThan(20)
  })

  test('every later copy of a reduced copy records that headers were dropped', () => {
    const once = reduce({ list: [] }).properties
    const again = retryCopy(messageOf(once), origin, endedOf(outcome), retry, level)
    expect(again.properties.headers).toHaveProperty('waybill-headers-dropped', 1)
    expect(reducedCopy(again).properties.headers).toHaveProperty('waybill-headers-dropped', 1)
  })

  test('a reduced copy drops a property that is too long', () => {
    const { properties } = reduce({}, { messageId: '\uFFFD'.repeat(86), correlationId: 'c' })
    expect(properties).not.toHaveProperty('messageId')
    expect(properties).toMatchObject({ correlationId: 'c', deliveryMode: 2 })
  })
})
