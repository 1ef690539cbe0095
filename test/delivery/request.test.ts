import fc from 'fast-check'
import { toRequest } from '../../src/delivery/attempt/request.ts'
import { headerValue } from '../../src/delivery/event/attribute.ts'
import { eventHeaders, eventOf, headersOf, messageOf, requestOf, targetFor } from './samples.ts'

describe('a binary request', () => {
  test('a binary request has the attributes as headers and the unchanged body', () => {
    const message = messageOf({
      headers: eventHeaders('cloudEvents:', { time: '2026-01-31T12:00:00Z' }),
      contentType: 'text/plain',
    })
    const request = requestOf(message, 'Binary', 3)
    expect(request).toMatchObject({ method: 'POST', path: '/events' })
    expect(request.body).toBe(message.content)
    expect(headersOf(request)).toEqual({
      'user-agent': 'waybill',
      'webhook-id': expect.stringMatching(/^a-1_[A-Za-z0-9_-]{12}$/),
      'waybill-attempt': '3',
      'ce-specversion': '1.0',
      'ce-id': 'a-1',
      'ce-source': '/shop',
      'ce-type': 'order.placed',
      'ce-time': '2026-01-31T12:00:00Z',
      'content-type': 'text/plain',
    })
  })

  test.each([
    ['gzip', 'gzip'],
    ['BR', 'br'],
    ['utf-8', undefined],
    ['x\r\ny', undefined],
  ])('a message with content encoding %j becomes a request with %s', (contentEncoding, expected) => {
    expect(headersOf(requestOf(messageOf({ contentEncoding })))['content-encoding']).toBe(expected)
  })

  test.each([
    ['a space', 'a b', 'a%20b'],
    ['a line break', 'a\r\nx: y', 'a%0D%0Ax:%20y'],
    ['quotes and percent', '"50%"', '%2250%25%22'],
    ['what is not ASCII', 'Zürich 😀', 'Z%C3%BCrich%20%F0%9F%98%80'],
    ['half a character', '\ud83d', '%EF%BF%BD'],
    ['DEL', '\u007f', '%7F'],
    ['nothing to encode', "!#$&'()*+,-./:;<=>?@[\\]^_`{|}~", "!#$&'()*+,-./:;<=>?@[\\]^_`{|}~"],
  ])('a header value with %s is percent-encoded', (_, value, expected) => {
    expect(headerValue(value)).toBe(expected)
  })

  test('an encoded header value decodes to the attribute', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (value) => {
        expect(headerValue(value)).toMatch(/^[\x21-\x7e]*$/)
        expect(decodeURIComponent(headerValue(value))).toBe(value)
      }),
    )
  })
})

describe('the webhook-id of a request', () => {
  const idOf = (id: string, source = '/shop', attempt = 1): string | undefined => {
    const event = eventOf(messageOf({ headers: eventHeaders('ce-', { id, source }) }))
    return headersOf(toRequest(event, targetFor('Binary'), attempt))['webhook-id']
  }

  test.each(['1', 'a_B-9', 'x'.repeat(128)])(
    'the webhook-id begins with an event id of harmless characters: %s',
    (id) => {
      expect(idOf(id)).toMatch(new RegExp(`^${id}_[A-Za-z0-9_-]{12}$`))
    },
  )

  test.each(['a.b', 'a b', 'ä', 'x'.repeat(129), 'a\r\nb'])(
    'the webhook-id is a hash for any other event id: %j',
    (id) => {
      expect(idOf(id)).toMatch(/^[A-Za-z0-9_-]{43}$/)
    },
  )

  test('the webhook-id is the same for each attempt, and differs for another source', () => {
    expect(idOf('a.b', '/shop', 1)).toBe(idOf('a.b', '/shop', 8))
    expect(idOf('a.b', '/shop')).not.toBe(idOf('a.b', '/other'))
    expect(idOf('1', '/shop')).not.toBe(idOf('1', '/other'))
  })

  test('the webhook-id is the same in both content modes', () => {
    const message = messageOf({ headers: eventHeaders('ce-', { id: 'a.b' }) })
    expect(headersOf(requestOf(message, 'Structured'))['webhook-id']).toBe(idOf('a.b'))
  })
})

describe('the trace context', () => {
  const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'

  test('the trace context is taken from the AMQP headers', () => {
    const headers = { traceparent, tracestate: 'a=1' }
    expect(headersOf(requestOf(messageOf({ headers })))).toMatchObject(headers)
  })

  test('the trace context is taken from the CloudEvents extension', () => {
    const headers = eventHeaders('ce-', { traceparent, tracestate: 'a=1' })
    expect(headersOf(requestOf(messageOf({ headers })))).toMatchObject({ traceparent, tracestate: 'a=1' })
    expect(headersOf(requestOf(messageOf({ headers }), 'Structured'))).toMatchObject({ traceparent })
  })

  test('a trace context that is not text is left out', () => {
    const headers = { traceparent: 'a\r\nb', tracestate: 'a=1' }
    expect(Object.keys(headersOf(requestOf(messageOf({ headers }))))).not.toContain('traceparent')
  })
})

test('the headers of a subscription are in each of its requests', () => {
  const target = targetFor('Binary', { headers: { 'X-Team': 'billing', 'User-Agent': 'shop' } })
  const { headers } = toRequest(eventOf(messageOf()), target, 1)
  expect(headers.slice(0, 4)).toEqual(['X-Team', 'billing', 'User-Agent', 'shop'])
  expect(headers).not.toContain('user-agent')
  expect(target.headers).toHaveLength(4)
})
