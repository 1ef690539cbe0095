import fc from 'fast-check'
import type { Outcome } from '../../src/delivery/attempt/outcome.ts'
import {
  type Copy,
  deadLetterCopy,
  discardedCopy,
  postponedCopy,
  putBackCopy,
  restoredCopy,
  retryCopy,
} from '../../src/delivery/message/copy.ts'
import { historyOf } from '../../src/delivery/message/history.ts'
import type { Message } from '../../src/delivery/message/message.ts'
import { Properties } from '../../src/delivery/message/properties.ts'
import { reducedCopy } from '../../src/delivery/message/reduced-copy.ts'
import { decoded } from '../support/foreign-codec.ts'
import { anyEntries, anyMessage, listed, propertiesWith, tableOf, textEntry } from './any-message.ts'
import { endedOf, fresh, messageOf, now, origin, returnExchange, whence } from './samples.ts'

const outcome: Outcome = { kind: 'answered', status: 503 }
const retry = { do: 'retry', delayMs: 5000 } as const
const rejected = { do: 'dead-letter', reason: 'Rejected', message: 'The subscriber answered 422' } as const
const level = 'waybill.delay.5s'
/** A copy, its properties read by another client. */
const read = (copy: Copy) => ({ ...copy, properties: decoded(copy.properties) })
const headersOf = ({ properties }: Copy): Record<string, unknown> => decoded(properties).headers ?? {}
/** A copy as it is delivered. */
const deliveredOf = ({ body, properties, routingKey }: Copy, exchange = returnExchange): Message => ({
  content: body,
  fields: { exchange, routingKey, redelivered: false },
  properties: new Properties(properties),
})
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
  const copyOf = (message: Message, decision: Parameters<typeof retryCopy>[3]) =>
    retryCopy(message, origin, endedOf(outcome, historyOf(message, whence)), decision, level)

  test('a retry copy is sent to the delay, with the queue that it returns to as its routing key', () => {
    const message = messageOf(properties)
    const copy = copyOf(message, retry)
    expect(read(copy)).toEqual({
      exchange: level,
      routingKey: 'waybill.sub.shop.billing',
      body: message.content,
      properties: {
        contentType: 'text/plain',
        contentEncoding: 'gzip',
        deliveryMode: 2,
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
          'waybill-history': '2025-03-01T12:00:00.000Z 503 0',
          'waybill-status': 503,
          'waybill-priority': 3,
          'waybill-exchange': 'shop.orders',
          'waybill-routing-key': 'order.placed',
          'waybill-expires': '2025-03-01T12:00:01.000Z',
        },
      },
    })
    expect(copy.body).toBe(message.content)
  })

  test('the headers of a retry copy give the next attempt its history', () => {
    const decision = { ...retry, notBefore: now + 60_000 }
    const first = copyOf(messageOf(properties), decision)
    const back = deliveredOf(first)
    const history = historyOf(back, whence)
    const since = {
      attempts: 1,
      firstAttempt: now,
      lastAttempt: now,
      notBefore: now + 60_000,
      expiresAt: now + 1000,
      priority: 3,
      lastAttempts: '2025-03-01T12:00:00.000Z 503 0',
    }
    expect(history).toEqual({ ...fresh, ...since })

    const second = retryCopy(back, origin, endedOf(outcome, history, now + 60_000), retry, level)
    expect(headersOf(second)).toMatchObject({
      'waybill-attempts': 2,
      'waybill-first-attempt': '2025-03-01T12:00:00.000Z',
      'waybill-last-attempt': '2025-03-01T12:01:00.000Z',
      'waybill-expires': '2025-03-01T12:00:01.000Z',
      'waybill-priority': 3,
    })
    expect(headersOf(second)).not.toHaveProperty('waybill-not-before')
  })

  test('the copy of a message that came back too early changes nothing about it', () => {
    const headers = { 'x-tenant': 'a', 'waybill-attempts': 2, 'waybill-not-before': 'then', 'waybill-exchange': 'e' }
    const message = messageOf({ headers: { ...headers, 'x-death': [] } }, 'x', { exchange: returnExchange })
    const copy = postponedCopy(message, origin, level)
    expect(copy).toMatchObject({ exchange: level, routingKey: origin.queue })
    expect(headersOf(copy)).toEqual(headers)
  })
})

describe('a dead letter', () => {
  test('a dead letter has headers that describe what happened', () => {
    const message = messageOf(properties)
    const history = { ...fresh, attempts: 2, firstAttempt: now - 1000 }
    const rejection: Outcome = { kind: 'answered', status: 422 }
    const copy = deadLetterCopy(message, origin, endedOf(rejection, history), rejected, 'waybill.dlq.shop.billing')
    expect(copy).toMatchObject({ exchange: '', routingKey: 'waybill.dlq.shop.billing', body: message.content })
    expect(headersOf(copy)).toEqual({
      'x-tenant': 'a',
      traceparent: 't',
      'waybill-dead-lettered': '2025-03-01T12:00:00.000Z',
      'waybill-history': '2025-03-01T12:00:00.000Z 422 0',
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
    expect(headersOf(copy)).toMatchObject({ 'waybill-attempts': 0, 'waybill-reason': 'Unparsable' })
    expect(headersOf(copy)).not.toHaveProperty('waybill-last-attempt')
  })

  test('a dead letter that was refused before an attempt keeps the attempts made before', () => {
    const limit = { do: 'dead-letter', reason: 'DeliveryLimit', message: 'why' } as const
    const history = { ...fresh, attempts: 2, firstAttempt: now - 1000 }
    const headers = headersOf(deadLetterCopy(messageOf(), origin, endedOf(undefined, history), limit, 'dlq'))
    expect(headers).toMatchObject({ 'waybill-attempts': 2, 'waybill-first-attempt': '2025-03-01T11:59:59.000Z' })
    expect(headers).not.toHaveProperty('waybill-last-attempt')
    expect(headers).not.toHaveProperty('waybill-status')
  })

  test('the error of a dead letter has at most 2 KiB', () => {
    const message = '€'.repeat(5000)
    const copy = deadLetterCopy(messageOf(), origin, endedOf(outcome), { ...rejected, message }, 'dlq')
    const error = String(headersOf(copy)['waybill-error'])
    expect(Buffer.byteLength(error)).toBeLessThanOrEqual(2048)
  })
})

describe('how often a letter was replayed, and by which Replay', () => {
  const headers = { 'waybill-replays': 2, 'waybill-replay': 'uid' }
  const copiesOf = (message: Message): Record<string, unknown>[] => {
    const ended = endedOf(outcome, historyOf(message, whence))
    return [
      retryCopy(message, origin, ended, retry, level),
      deadLetterCopy(message, origin, ended, rejected, 'dlq'),
    ].map(headersOf)
  }

  test('stays with a letter that was put back into its queue, through its delays', () => {
    const putBack = messageOf({ ...properties, headers }, 'hello', { exchange: '' })
    for (const copy of copiesOf(putBack)) expect(copy).toMatchObject(headers)
    const history = historyOf(putBack, whence)
    const back = deliveredOf(retryCopy(putBack, origin, endedOf(outcome, history), retry, level))
    for (const copy of copiesOf(back)) expect(copy).toMatchObject(headers)
  })

  test('is not believed of what a producer published', () => {
    for (const copy of copiesOf(messageOf({ ...properties, headers }))) {
      expect(copy).not.toHaveProperty('waybill-replays')
      expect(copy).not.toHaveProperty('waybill-replay')
    }
  })
})

/** Names that are not passed on. */
const isOurs = (name: string): boolean =>
  /^x-(death$|first-death-|last-death-|delivery-count$|acquired-count$)|^B?CC$|^waybill-/.test(name) &&
  name !== 'waybill-headers-dropped'
const nameOf = (entry: Buffer): string => entry.toString('latin1', 1, 1 + (entry[0] as number))
/** The header table, and the bytes before it and after it, as they are on the wire. */
const split = ({ properties }: Copy) => {
  const { positions, raw } = new Properties(properties)
  const [start, end] = [positions[2] as number, positions[3] as number]
  return { before: raw.subarray(2, start), table: raw.subarray(start + 4, end), after: raw.subarray(end) }
}

test('any copy has the bytes of the original: those of its body, of each header, and of each property that is passed on', () => {
  const whole = anyEntries.chain((entries) => propertiesWith(entries).map((list) => ({ entries, list })))
  fc.assert(
    fc.property(whole, anyMessage, ({ entries, list }, { content, fields }) => {
      const message: Message = { content, fields, properties: new Properties(listed(list)) }
      const history = historyOf(message, whence)
      const foreign = Buffer.concat(entries.filter((entry) => !isOurs(nameOf(entry))))
      const copies: Copy[] = [
        retryCopy(message, origin, endedOf(outcome, history), retry, level),
        deadLetterCopy(message, origin, endedOf(outcome, history), rejected, 'dlq'),
      ]
      const passed = (...places: number[]): Buffer =>
        Buffer.concat(places.map((place) => list[place] ?? Buffer.alloc(0)))
      for (const copy of copies) {
        expect(copy.body).toBe(content)
        const { before, table, after } = split(copy)
        expect(before.equals(passed(0, 1))).toBe(true)
        expect(table.subarray(0, foreign.length).equals(foreign)).toBe(true)
        expect(after.equals(Buffer.concat([Buffer.of(2), passed(5, 6, 8, 9, 10, 12, 13)]))).toBe(true)
      }
      const unchanged = Buffer.concat(entries.filter((entry) => !isOurs(nameOf(entry)) || /^way/.test(nameOf(entry))))
      const { table } = split(postponedCopy(message, origin, level))
      expect(table.subarray(0, unchanged.length).equals(unchanged)).toBe(true)
    }),
    { numRuns: 300 },
  )
})

test('any copy can be read by another client, and has none of the headers that the broker acts on', () => {
  fc.assert(
    fc.property(anyMessage, (message) => {
      const history = historyOf(message, whence)
      const copies: Copy[] = [
        retryCopy(message, origin, endedOf(outcome, history), retry, level),
        postponedCopy(message, origin, level),
        deadLetterCopy(message, origin, endedOf(outcome, history), rejected, 'dlq'),
      ]
      for (const copy of [...copies, ...copies.map(reducedCopy)]) {
        expect(copy.body).toBe(message.content)
        const properties = new Properties(copy.properties)
        expect(properties.isBroken).toBe(false)
        expect(properties).toMatchObject({ priority: undefined, expiration: undefined, userId: undefined })
        expect(properties.messageId).toBe(message.properties.messageId)
        expect(properties.headers?.names.filter((name) => /^x-death$|^B?CC$/.test(name))).toEqual([])
      }
    }),
    { numRuns: 300 },
  )
})

test('any copy that is put elsewhere has the priority, and of the headers only those that nobody acts on', () => {
  fc.assert(
    fc.property(anyMessage, (message) => {
      const history = historyOf(message, whence)
      const to = { exchange: 'shop.orders', routingKey: 'order.placed' }
      const copy = putBackCopy(message, history, to, { by: 'uid', times: 2 })
      for (const each of [copy, reducedCopy(copy)]) {
        expect(each).toMatchObject({ ...to, body: message.content })
        const properties = new Properties(each.properties)
        expect(properties.isBroken).toBe(false)
        expect(properties).toMatchObject({ priority: history.priority, expiration: undefined, userId: undefined })
        const ours = properties.headers?.names.filter(
          (name) => isOurs(name) && !/^waybill-(replays?|headers-dropped)$/.test(name),
        )
        expect(ours).toEqual([])
        expect(properties.headers?.get('waybill-replays')).toBe(2)
      }
    }),
    { numRuns: 300 },
  )
})

test('what was discarded, and what is restored, has the priority; one of too many headers still expires', () => {
  const message = messageOf({ priority: 7, headers: { 'waybill-routing-key': 'forged', 'x-tenant': 'a' } })
  const discarded = { at: now, by: 'Discard/shop/x', reason: 'r', from: 'waybill.unrouted.shop.orders' }
  const copy = discardedCopy(message, discarded, { bin: 'bin', keptMs: 5_000 }, historyOf(message, whence))
  for (const each of [copy, reducedCopy(copy)])
    expect(decoded(each.properties)).toMatchObject({ priority: 7, expiration: '5000' })
  expect(headersOf(copy)).toMatchObject({ 'waybill-exchange': 'shop.orders', 'waybill-routing-key': 'order.placed' })
  const restored = restoredCopy(deliveredOf(copy, ''), 'parked')
  expect(decoded(restored.properties)).toMatchObject({ priority: 7, headers: { 'x-tenant': 'a' } })
})

describe('a message whose properties cannot be read', () => {
  const whole = messageOf({ contentType: 'text/plain', headers: { first: 1, second: 'two' } }).properties.raw
  const cut = Buffer.from(whole)
  cut[cut.length - 'two'.length - 1] = 99

  test('its dead letter has what could be read, and all the bytes in one header', () => {
    const message = { ...messageOf(), properties: new Properties(cut) }
    const copy = deadLetterCopy(message, origin, endedOf({ kind: 'unsendable', message: 'why' }), rejected, 'dlq')
    expect(read(copy).properties).toMatchObject({ contentType: 'text/plain', deliveryMode: 2 })
    expect(headersOf(copy)).toMatchObject({ first: 1, 'waybill-broken-properties': cut, 'waybill-reason': 'Rejected' })
    expect(headersOf(copy)).not.toHaveProperty('second')
  })
})

describe('a reduced copy', () => {
  const reduce = (headers: Record<string, unknown>): Copy =>
    reducedCopy(deadLetterCopy(messageOf({ headers }), origin, endedOf(outcome), rejected, 'dlq'))

  test('a reduced copy keeps the headers of CloudEvents and Waybill, and counts the others', () => {
    const headers = headersOf(
      reduce({ 'ce-id': '1', 'cloudEvents:type': 't', 'x-tenant': 'a', 'ce-list': [], list: [] }),
    )
    expect(headers).toMatchObject({ 'ce-id': '1', 'cloudEvents:type': 't', 'waybill-headers-dropped': 3 })
    expect(headers).toHaveProperty('waybill-reason', 'Rejected')
    expect(Object.keys(headers)).not.toContain('x-tenant')
  })

  test('a reduced copy fits into a frame, and keeps the headers about what happened before any others', () => {
    const value = 'x'.repeat(2000)
    const entries = Array.from({ length: 65 }, (_, at) => textEntry(`ce-a${at}`, value))
    const message = { ...messageOf(), properties: new Properties(listed([undefined, undefined, tableOf(entries)])) }
    const copy = reducedCopy(deadLetterCopy(message, origin, endedOf(outcome), rejected, 'dlq'))
    expect(copy.properties.length).toBeLessThan(128 * 1024 - 1024)
    expect(headersOf(copy)).toHaveProperty('waybill-error')
    expect(Object.keys(headersOf(copy)).length).toBeGreaterThan(60)
  })

  test('every later copy of a reduced copy records that headers were dropped', () => {
    const once = deliveredOf(reduce({ list: [] }))
    const again = retryCopy(once, origin, endedOf(outcome), retry, level)
    expect(headersOf(again)).toHaveProperty('waybill-headers-dropped', 1)
    expect(headersOf(reducedCopy(again))).toHaveProperty('waybill-headers-dropped', 1)
  })

  test.each([2 ** 40, -1, 'many'])(
    'a count of dropped headers that a producer wrote as %j counts as none',
    (forged) => {
      expect(headersOf(reduce({ 'waybill-headers-dropped': forged, list: [] }))).toMatchObject({
        'waybill-headers-dropped': 1,
      })
    },
  )
})
