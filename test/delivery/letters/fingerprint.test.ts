import fc from 'fast-check'
import { base32 } from '../../../src/delivery/letters/base32.ts'
import { fingerprint, normalised } from '../../../src/delivery/letters/fingerprint.ts'

const cause = { reason: 'Exhausted', statusCode: 503, problem: undefined, error: 'The subscriber answered 503' }

test.each([
  ['The subscriber answered 503; given up after 8 attempts', 'The subscriber answered #'],
  ['connect ECONNREFUSED 10.0.3.7:8080', 'connect ECONNREFUSED #'],
  ['connect ECONNREFUSED [fd00::7]:8080', 'connect ECONNREFUSED [#]#'],
  ['The attribute "order-77" is missing', 'The attribute "…" is missing'],
  ["No 'x and no end 7", 'No "…"'],
  ['Order 9f1b2c3d-1111-2222-3333-444455556666 at 2026-01-02T03:04:05.678Z took 12ms.', 'Order # at # took #.'],
  ['Name not resolved: billing.shop.svc', 'Name not resolved: billing.shop.svc'],
])('%j is normalised to %j', (error, expected) => {
  expect(normalised(error)).toBe(expected)
})

test('the same cause has the same fingerprint, another one another', () => {
  const one = fingerprint({ ...cause, error: 'connect ECONNREFUSED 10.0.3.7:8080' })
  expect(fingerprint({ ...cause, error: 'connect ECONNREFUSED 10.0.3.8:8081' })).toBe(one)
  const others = [cause, { ...cause, reason: 'Expired' }, { ...cause, statusCode: 500 }, { ...cause, problem: 'urn:x' }]
  expect(new Set([one, ...others.map(fingerprint)]).size).toBe(5)
})

test('a normalised error is short, and normalising takes no longer for hostile text', () => {
  fc.assert(fc.property(fc.string({ maxLength: 2_000 }), (error) => normalised(error).length <= 120))
  for (const hostile of ['"'.repeat(1e6), `'${'a'.repeat(1e6)}`, '1a'.repeat(1e6)]) normalised(hostile)
})

test('base32 is that of RFC 4648', () => {
  expect(['', 'f', 'fo', 'foo', 'foob', 'fooba', 'foobar'].map((text) => base32(Buffer.from(text)))).toEqual([
    '',
    'my',
    'mzxq',
    'mzxw6',
    'mzxw6yq',
    'mzxw6ytb',
    'mzxw6ytboi',
  ])
})
