import * as fc from 'fast-check'
import { deadLetterPolicy } from '../../src/api/kinds/dead-letter-policy.ts'
import { kindNamed, kinds } from '../../src/api/kinds/kinds.ts'
import { subscription } from '../../src/api/kinds/subscription.ts'
import { validate } from '../../src/api/kinds/validate.ts'
import { apiVersion, type Kind } from '../../src/api/resource.ts'
import { problemText } from '../../src/api/schema/problem.ts'
import { badChanges, badNames, badSpecs } from './bad-specs.ts'
import { delivery, pushed } from './bad-subscriptions.ts'

const check = (kind: Kind, spec: unknown, old?: unknown) =>
  validate(kind, { apiVersion: 'waybill.dev/v1alpha1', kind: kind.kind, spec }, old)
const problems = (kind: Kind, spec: unknown, old?: unknown): string[] => {
  const validated = check(kind, spec, old)
  return 'problems' in validated ? validated.problems.map(problemText) : []
}
const defaulted = (kind: Kind, spec: unknown) => {
  const validated = check(kind, spec)
  if ('problems' in validated) throw new Error(validated.problems.map(problemText).join('; '))
  return validated.spec
}

test('fields of a newer release are dropped where the API server accepted them, at any depth; what is wrong with the others is said', () => {
  const newer = {
    ...pushed,
    pace: 3,
    subscriber: { ...pushed.subscriber, colour: 'red' },
    delivery: { retry: { jitter: true } },
  }
  const accepted = (spec: object) =>
    validate(subscription, { apiVersion, kind: 'Subscription', spec }, undefined, 'dropped')
  expect(problems(subscription, newer)).toHaveLength(3)
  expect(accepted(newer)).toEqual({ spec: defaulted(subscription, { ...pushed, delivery: { retry: {} } }) })
  expect(accepted({ ...newer, suspend: 'yes' })).toEqual({
    problems: [{ field: 'spec.suspend', value: 'yes', message: 'must be of type boolean' }],
  })
})

test('the defaults of a Subscription are those of the reference', () => {
  expect(defaulted(subscription, pushed)).toEqual({
    ...pushed,
    subscriber: { ...pushed.subscriber, contentMode: 'Binary', readProblems: false },
    filter: { routingKeys: ['#'] },
    delivery: {
      timeout: '30s',
      concurrency: 10,
      retry: {
        maxAttempts: 8,
        schedule: ['5s', '30s', '2m', '10m', '30m', '1h', '3h'],
        maxAge: '24h',
        retryAfterMax: '1h',
        retryOn: ['401', '403', '404', '407', '408', '409', '425', '429', '3xx', '5xx'],
        deadLetterOn: ['400', '405', '413', '415', '422'],
      },
      onGone: 'Suspend',
    },
    suspend: false,
    deletionPolicy: 'RetainIfNotEmpty',
  })
})

test('validation does not change its input', () => {
  const spec = structuredClone(pushed)
  defaulted(subscription, spec)
  expect(spec).toEqual(pushed)
})

test.each(badSpecs)('a resource with %s is refused with one problem', (_what, kind, spec, expected) => {
  expect(problems(kind, spec)).toEqual([expected])
})

test.each(badChanges)('%s is immutable', (_what, kind, spec, old, expected) => {
  expect(problems(kind, spec, defaulted(kind, old))).toEqual([expected])
})

test.each(badNames)('a $kind with a name that is too long for the broker is refused', (kind, spec) => {
  const named = (length: number) =>
    validate(kind, { apiVersion, kind: kind.kind, metadata: { name: 'x'.repeat(length) }, spec })
  expect(named(173)).toHaveProperty('spec')
  expect(named(174)).toMatchObject({ problems: [{ field: 'metadata.name', value: 'x'.repeat(174) }] })
})

test('a field that is null counts as absent', () => {
  const spec = { ...pushed, delivery: { timeout: null }, suspend: null, filter: { headers: { a: null } } }
  expect(defaulted(subscription, spec)).toEqual(defaulted(subscription, { ...pushed, filter: { headers: {} } }))
})

test('a DeadLetterPolicy needs no spec', () => {
  expect(defaulted(deadLetterPolicy, undefined)).toEqual(defaulted(deadLetterPolicy, {}))
})

test('a change of a field that is not immutable is accepted', () => {
  expect(problems(subscription, delivery({ concurrency: 1 }), defaulted(subscription, pushed))).toEqual([])
})

test('validation never throws, whatever its input, and accepts its own output', () => {
  fc.assert(
    fc.property(fc.constantFrom(...kinds), fc.jsonValue(), (kind, spec) => {
      const validated = check(kind, spec)
      if ('problems' in validated) expect(validated.problems.length).toBeGreaterThan(0)
      else expect(defaulted(kind, validated.spec)).toEqual(validated.spec)
    }),
  )
})

test.each([
  ['hunter2', { password: 1, url: 'http://ann:hunter2@h/' }],
  ['hunter2', 'amqps://ann:hunter2@h'],
  ['hunter2', 'http://ann:p/hunter2@h'],
])('a problem does not show %s of %j', (secret, value) => {
  expect(problemText({ field: 'spec.x', value, message: 'is wrong' })).not.toContain(secret)
})

test('a long value is shortened in a problem', () => {
  expect(problemText({ field: 'spec.x', value: 'x'.repeat(1000), message: 'is wrong' }).length).toBeLessThan(120)
})

test.each(
  kinds.flatMap((kind) => [kind.kind, kind.plural, kind.singular, kind.shortName].map((name) => [name, kind] as const)),
)('the name %s is known to kubectl as a name of its kind', (name, kind) => expect(kindNamed(name)).toBe(kind))
