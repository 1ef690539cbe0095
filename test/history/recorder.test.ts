import { encodedBytes } from '../support/foreign-codec.ts'
import { contentOf } from './recorder.ts'

const body = Buffer.from('b')
const ofHeader = (value: unknown) => contentOf(body, encodedBytes({ headers: { count: value } }))

test('a header of another type is another one, although its value is the same', () => {
  const small = ofHeader({ '!': 'byte', value: 5 })
  expect(ofHeader({ '!': 'byte', value: 5 })).toEqual(small)
  expect(ofHeader({ '!': 'int64', value: 5 })).not.toEqual(small)
  expect(ofHeader({ '!': 'float', value: 0.5 })).not.toEqual(ofHeader({ '!': 'double', value: 0.5 }))
})

test('headers of Waybill and the broker, and what no copy keeps, are left out', () => {
  const plain = contentOf(body, encodedBytes({ type: 't', headers: {} }))
  const headers = { 'waybill-reason': 'Exhausted', 'x-delivery-count': 1 }
  expect(contentOf(body, encodedBytes({ type: 't', deliveryMode: 2, priority: 9, expiration: '5', headers }))).toEqual(
    plain,
  )
  expect(contentOf(body, encodedBytes({ type: 'u', headers: {} }))).not.toEqual(plain)
})
