import fc from 'fast-check'
import { returnExchange } from '../../../src/delivery/letters/broker-death.ts'
import { letterOf } from '../../../src/delivery/letters/letter.ts'
import { deadLetterCopy } from '../../../src/delivery/message/copy.ts'
import { historyOf } from '../../../src/delivery/message/history.ts'
import type { Message } from '../../../src/delivery/message/message.ts'
import { Properties } from '../../../src/delivery/message/properties.ts'
import * as names from '../../../src/topology/names.ts'
import { anyMessage } from '../any-message.ts'
import { endedOf, eventHeaders, fresh, messageOf, now, origin, whence } from '../samples.ts'

const decision = { do: 'dead-letter', reason: 'Rejected', message: 'The subscriber answered 422' } as const
const queue = 'waybill.dlq.shop.billing'
const problem = 'https://shop.example/problems/no-such-customer'

const deadOf = (message: Message, history = historyOf(message, whence)): Message => {
  const ended = endedOf({ kind: 'answered', status: 422, problem }, history)
  const { body, properties } = deadLetterCopy(message, origin, ended, decision, queue)
  return {
    content: body,
    fields: { exchange: '', routingKey: queue, redelivered: false },
    properties: new Properties(properties),
  }
}
const event = messageOf({ headers: eventHeaders('cloudEvents:') }, '{"order":1}')

test('a dead letter says what its event is, why it is there and what was tried', () => {
  expect(letterOf(deadOf(event), 'shop/billing')).toMatchObject({
    reason: 'Rejected',
    error: 'The subscriber answered 422',
    ...{ statusCode: 422, problem, eventId: 'a-1', eventType: 'order.placed' },
    ...{ exchange: 'shop.orders', routingKey: 'order.placed', attempts: 1, replays: 0, size: 11 },
    ...{ firstAttempt: now, lastAttempt: now, deadLettered: now },
    lastAttempts: [{ begunAt: now, result: '422', tookMs: 0 }],
  })
})

test('its id is the same at each reading, and differs between events, subscriptions and replays', () => {
  const other = messageOf({ headers: eventHeaders('cloudEvents:', { id: 'a-2' }) })
  const headers = { ...eventHeaders('cloudEvents:'), 'waybill-replays': 1 }
  const replayed = messageOf({ headers }, '', { exchange: '' })
  const ids = [
    letterOf(deadOf(event), 'shop/billing').id,
    letterOf(deadOf(other), 'shop/billing').id,
    letterOf(deadOf(event), 'shop/mail').id,
    letterOf(deadOf(replayed), 'shop/billing').id,
  ]
  expect(new Set(ids).size).toBe(4)
  expect(ids[0]).toMatch(/^[a-z2-7]{16}$/)
  const again = { ...deadOf(event), fields: { exchange: '', routingKey: queue, redelivered: true } }
  expect(letterOf(again, 'shop/billing').id).toBe(ids[0])
})

test.each([
  ['expired', 'Expired', 'The broker dropped it: its time to live ended in the queue waybill.sub.shop.billing'],
  ['maxlen', 'QueueLimit', 'The broker dropped it: the queue waybill.sub.shop.billing was over its limit'],
  ['rejected', 'Rejected', 'The broker dropped it: it was rejected'],
  ['delivery_limit', 'DeliveryLimit', 'The broker dropped it: it was returned to its queue too often'],
  ['new-in-rabbitmq-9', 'Unknown', 'The broker dropped it'],
])('what the broker dead-lettered as %s has the reason %s, whatever its producer wrote', (reason, expected, error) => {
  const time = { '!': 'timestamp', value: 1_700_000_000 }
  const deaths = [{ reason, queue: 'waybill.sub.shop.billing', time, count: 1 }]
  const forged = { 'waybill-reason': 'Exhausted', 'waybill-status': 500, 'x-death': deaths }
  const letter = letterOf(messageOf({ headers: forged }, 'x', { exchange: '', routingKey: queue }), 'shop/billing')
  expect(letter).toMatchObject({ reason: expected, error, statusCode: undefined, deadLettered: 1_700_000_000_000 })
})

test('a message that a person put there is a letter too', () => {
  const letter = letterOf(messageOf({}, '', { exchange: '', routingKey: queue }), 'shop/billing')
  expect(letter).toMatchObject({ reason: 'Unknown', attempts: 0, deadLettered: undefined, size: 0 })
})

test('no message makes it throw', () => {
  fc.assert(
    fc.property(anyMessage, (message) => {
      const { id, group } = letterOf(message, 'shop/billing')
      expect(id).toMatch(/^[a-z2-7]{16}$/)
      expect(group).toMatch(/^[a-z2-7]{10}$/)
    }),
  )
})

test('the last five attempts are kept, newest last, in less than 400 bytes', () => {
  let history = fresh
  let message = deadOf(event, history)
  for (let attempt = 1; attempt <= 9; attempt++) {
    history = { ...history, attempts: attempt, lastAttempts: message.properties.headers?.text('waybill-history') }
    message = deadOf(event, history)
  }
  expect(letterOf(message, 'shop/billing').lastAttempts).toHaveLength(5)
  expect(message.properties.headers?.text('waybill-history')?.length).toBeLessThan(400)
})

test('the exchange that messages come back through is the one that is declared', () => {
  expect(returnExchange).toBe(names.returnExchange)
})
