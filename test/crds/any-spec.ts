import fc from 'fast-check'
import type { Schema } from '../../src/api/schema/schema.ts'

/** Valid, barely valid, barely invalid and absurd values, for any field. */
const texts = ['a', 'A', 'a.b', '-', '', 'amq.a', 'a\n', 'a\u0085', 'ä'.repeat(127), 'ä'.repeat(128), 'x'.repeat(254)]
const durations = [
  '0s',
  '99ms',
  '100ms',
  '25m',
  '25m1ms',
  '24h',
  '1193h',
  '1193h1ms',
  '1h1h',
  '-1s',
  '1.5h',
  '1s ',
  '1us',
  '99999h99999h99999h',
]
const urls = [
  'http://h',
  'https://h:65535/a?b=%zz',
  'http://h:65536/',
  'http://[::1]:80/',
  'http://u@h/',
  'http://h/#a',
  'HTTP://h/',
  'http://h\u00a0/',
  'http://é/',
  'http://a..b/',
  '/',
  '/a b',
  '/#',
  '//',
]
const codes = ['300', '599', '600', '4xx', '2xx', '29']
const keys = ['a', 'A', 'x-a', 'Host', 'ce-id', 'a b', 'K', 'é', 'waybill-', '']

const anyOf = (schema: Schema): fc.Arbitrary<unknown> => {
  const wrong = fc.constantFrom<unknown>(null, 0, 'a', true, [], {}, [null])
  const right = (): fc.Arbitrary<unknown> => {
    switch (schema.type) {
      case 'string':
        return fc.constantFrom(...(schema.enum ?? [...texts, ...durations, ...urls, ...codes]))
      case 'integer':
        return fc.constantFrom(-1, 0, 1, 1.5, 100, 101, 1000, 65_535, 65_536, 1_000_001, 1e12, 1e13, 1e20)
      case 'boolean':
        return fc.boolean()
      case 'array':
        return fc.array(anyOf(schema.items), { maxLength: 3 })
      case 'object':
        return 'properties' in schema
          ? fc.record(Object.fromEntries(Object.entries(schema.properties).map(([name, one]) => [name, anyOf(one)])), {
              requiredKeys: [],
            })
          : fc.dictionary(fc.constantFrom(...keys), anyOf(schema.additionalProperties), { maxKeys: 2 })
    }
  }
  return fc.oneof({ weight: 9, arbitrary: right() }, wrong)
}

type Change = (spec: unknown) => unknown

/** Sets one field, at any depth, to any value. */
export const anyChange = (schema: Schema): fc.Arbitrary<Change> => {
  const here = anyOf(schema).map(
    (value): Change =>
      () =>
        value,
  )
  if (!('properties' in schema)) return here
  const below = Object.entries(schema.properties).map(([name, one]) =>
    anyChange(one).map(
      (change): Change =>
        (spec) => ({ ...(spec as object), [name]: change((spec as Record<string, unknown> | undefined)?.[name]) }),
    ),
  )
  return fc.oneof({ weight: 1, arbitrary: here }, { weight: 20, arbitrary: fc.oneof(...below) })
}
