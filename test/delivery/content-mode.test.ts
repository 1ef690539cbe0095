import fc from 'fast-check'
import { memberText } from '../../src/delivery/event/json-member.ts'
import { eventHeaders, headersOf, messageOf, reasonOf, requestOf } from './samples.ts'

const awkward = '{ "2": 12345678901234567890.10, "1": 1.0, "a": "\\u00e4\\/", "a": 1e400 }'

describe('a binary event for a structured subscriber', () => {
  const bodyOf = (contentType: string | undefined, body: string | Buffer, contentEncoding?: string): string => {
    const message = messageOf({ headers: eventHeaders('ce-'), contentType, contentEncoding }, body)
    const request = requestOf(message, 'Structured')
    expect(headersOf(request)['content-type']).toBe('application/cloudevents+json; charset=utf-8')
    return request.body.toString()
  }
  const context = '"specversion":"1.0","id":"a-1","source":"/shop","type":"order.placed"'

  const cases: { name: string; type: string | undefined; body: string | Buffer; expected: string }[] = [
    { name: 'JSON, as it was written', type: 'application/json', body: awkward, expected: `"data":${awkward}` },
    { name: 'another JSON', type: 'application/geo+json;v=1', body: '1', expected: '"data":1' },
    { name: 'invalid JSON', type: 'application/json', body: '{', expected: '"data_base64":"ew=="' },
    {
      name: 'JSON that is not UTF-8',
      type: 'application/json',
      body: Buffer.from([34, 255, 34]),
      expected: '"data_base64":"Iv8i"',
    },
    {
      name: 'JSON in another character set',
      type: 'text/json; charset="latin1"',
      body: '1',
      expected: '"data_base64":"MQ=="',
    },
    { name: 'JSON that says UTF-8', type: 'application/json; charset= "UTF-8"', body: '1', expected: '"data":1' },
    { name: 'text', type: 'text/plain', body: 'a "b"\n', expected: '"data":"a \\"b\\"\\n"' },
    { name: 'text that is not UTF-8', type: 'text/plain', body: Buffer.from([255]), expected: '"data_base64":"/w=="' },
    { name: 'bytes', type: 'image/png', body: 'x', expected: '"data_base64":"eA=="' },
  ]
  test.each(cases)('a binary event with $name becomes a document', ({ type, body, expected }) => {
    expect(bodyOf(type, body)).toBe(`{${context},"datacontenttype":${JSON.stringify(type)},${expected}}`)
  })

  test('a binary event without a content type becomes a document', () => {
    expect(bodyOf(undefined, '1')).toBe(`{${context},"data_base64":"MQ=="}`)
  })

  test('a binary event without data becomes a document without data', () => {
    expect(bodyOf(undefined, '')).toBe(`{${context}}`)
  })

  test('a document with compressed data has the content encoding of the data', () => {
    const expected = `{${context},"datacontenttype":"text/plain","contentencoding":"gzip","data_base64":"eA=="}`
    expect(bodyOf('text/plain', 'x', 'gzip')).toBe(expected)
  })

  test('a document keeps the types of numbers and booleans', () => {
    const message = messageOf({ headers: eventHeaders('ce-', { count: 2, last: true }) }, '')
    expect(JSON.parse(requestOf(message, 'Structured').body.toString())).toMatchObject({ count: 2, last: true })
  })
})

const document = (rest: string): string => `{"specversion":"1.0","id":"1","source":"/","type":"t"${rest}}`

describe('a structured event for a binary subscriber', () => {
  const cases: { name: string; rest: string; type: string | undefined; body: string }[] = [
    {
      name: 'JSON, as it was written',
      rest: `, "data" : ${awkward} , "subject":"s"`,
      type: 'application/json',
      body: awkward,
    },
    { name: 'a JSON string', rest: ',"data":"a\\u0041"', type: 'application/json', body: '"a\\u0041"' },
    { name: 'text', rest: ',"datacontenttype":"text/plain","data":"a\\u0041"', type: 'text/plain', body: 'aA' },
    {
      name: 'JSON under another type',
      rest: ',"datacontenttype":"text/plain","data":[1]',
      type: 'text/plain',
      body: '[1]',
    },
    { name: 'Base64', rest: ',"datacontenttype":"image/png","data_base64":"eHk="', type: 'image/png', body: 'xy' },
    { name: 'Base64 without a type', rest: ',"data_base64":"eHk="', type: undefined, body: 'xy' },
    { name: 'no data', rest: '', type: undefined, body: '' },
    { name: 'null', rest: ',"data":null', type: 'application/json', body: 'null' },
  ]
  test.each(cases)('a document with $name becomes a binary event', ({ rest, type, body }) => {
    const request = requestOf(messageOf({ contentType: 'application/cloudevents+json' }, document(rest)))
    expect(request.body.toString()).toBe(body)
    expect(headersOf(request)).toMatchObject({
      'ce-specversion': '1.0',
      'ce-id': '1',
      'ce-source': '/',
      'ce-type': 't',
    })
    expect(headersOf(request)['content-type']).toBe(type)
    expect(Object.keys(headersOf(request))).not.toContain('ce-data')
  })
})

test('a structured event for a structured subscriber is passed on unchanged', () => {
  const contentType = 'application/cloudevents+json; charset=UTF-8'
  const message = messageOf({ contentType }, ` ${document(`,"data":${awkward}`)}\n`)
  const request = requestOf(message, 'Structured')
  expect(request.body).toBe(message.content)
  expect(headersOf(request)).toEqual({
    'user-agent': 'waybill',
    'webhook-id': expect.stringMatching(/^1_/),
    'waybill-attempt': '1',
    'content-type': contentType,
  })
})

describe('a long structured event', () => {
  const long = `[${'{"a":"\\"}"},'.repeat(150_000)}1]`
  const of = (text: string) => messageOf({ contentType: 'application/cloudevents+json' }, text)

  test('a long document is delivered with its data exactly as they were written', () => {
    const message = of(document(`,"subject":"s" , "data" : ${long} `))
    expect(requestOf(message, 'Structured').body).toBe(message.content)
    const request = requestOf(message, 'Binary')
    expect(request.body.toString()).toBe(long)
    expect(headersOf(request)).toMatchObject({ 'ce-id': '1', 'ce-subject': 's', 'content-type': 'application/json' })
    const text = 'x'.repeat(1_100_000)
    expect(requestOf(of(document(`,"datacontenttype":"text/plain","data":"${text}"`))).body.toString()).toBe(text)
  })

  test.each([
    ['an open bracket', `${document(`,"data":[${long}`)}`, 'not a JSON object'],
    ['something after its end', `${document(`,"data":${long}`)}1`, 'not a JSON object'],
    ['an attribute that is no value', document(`,"subject":oops,"data":${long}`), 'not a JSON object'],
    ['an attribute of objects', document(`,"where":{},"data":${long}`), 'attribute where must be'],
    ['two kinds of data', document(`,"data":${long},"data_base64":""`), 'both data'],
    ['a member __proto__', document(`,"__proto__":"x","data":${long}`), '"__proto__" has'],
    ['a string that does not end', `${document(`,"data":${long}`).slice(0, -1)},"x":"`, 'not a JSON object'],
    ['a list around it', `[${long}]`, 'not a JSON object'],
  ])('a long document with %s is not a structured CloudEvent', (_, text, expected) => {
    expect(reasonOf(of(text))).toContain(expected)
  })

  test('long JSON that would end the document which it is embedded in is embedded in Base64', () => {
    const bodyOf = (body: string): object =>
      JSON.parse(
        requestOf(
          messageOf({ headers: eventHeaders('ce-'), contentType: 'application/json' }, body),
          'Structured',
        ).body.toString(),
      )
    expect(bodyOf(long)).toHaveProperty('data')
    for (const body of [`${long},"id":"forged"`, `${long}]`, long.slice(1), `${long.slice(0, -1)}`]) {
      expect(bodyOf(body)).toMatchObject({ id: 'a-1', data_base64: Buffer.from(body).toString('base64') })
    }
  })
})

describe('the text of a member of a JSON document', () => {
  test.each([
    ['{"data":1}', '1'],
    ['{ "a" : {"data":0,"x":[{"data":"}"}]} , "data" : [1, 2] }', '[1, 2]'],
    ['{"a":"\\"data\\":1","data":"\\\\"}', '"\\\\"'],
    ['{"data":1,"data":2}', '2'],
    ['{"d\\u0061ta":1}', '1'],
    ['{"a":1}', undefined],
    ['{"a":"data"}', undefined],
    ['{}', undefined],
  ])('the text of the member data is found exactly in %s', (json, expected) => {
    expect(memberText(json, 'data')).toBe(expected)
  })

  test('the text of a member parses to the value that JSON.parse finds', () => {
    fc.assert(
      fc.property(
        fc.dictionary(fc.string({ unit: 'binary' }), fc.jsonValue()),
        fc.jsonValue(),
        fc.nat(2),
        (others, data, indent) => {
          const json = JSON.stringify({ ...others, data }, null, indent)
          expect(JSON.parse(memberText(json, 'data') ?? '')).toEqual(JSON.parse(JSON.stringify(data)))
        },
      ),
    )
  })
})
