import { deadLetterPolicy } from '../../../src/api/kinds/dead-letter-policy.ts'
import { createCache } from '../../../src/store/kubernetes/watch/cache.ts'

type Spec = Record<string, unknown>
const object = (
  name: string,
  version: number,
  { uid = name, generation = 1, spec = {} as unknown, status = {} } = {},
) => ({
  metadata: {
    ...{ name, namespace: 'shop', uid, generation, resourceVersion: String(version) },
    creationTimestamp: '2026-01-02T03:04:05Z',
    managedFields: [{ manager: 'kubectl' }],
    annotations: { 'kubectl.kubernetes.io/last-applied-configuration': '{}', mine: 'yes' },
  },
  spec,
  status,
})

const created = () => {
  const announced: string[] = []
  const reported: [string, string, boolean][] = []
  const cache = createCache({
    kind: deadLetterPolicy,
    announce: ({ name }) => announced.push(`${name} ${cache.get('shop', name) ? 'is' : 'is not'}`),
    invalid: ({ name }, problems, isFirst) => reported.push([name, problems.map(({ field }) => field).join(), isFirst]),
  })
  const sink = cache.sink()
  return { cache, sink, announced, reported, get: (name: string) => cache.get('shop', name) }
}

test('the cache keeps only the fields that are read, with the defaults that the installed definition may lack', () => {
  const { sink, get } = created()
  sink.changed(object('keep', 1))
  expect(get('keep')?.metadata).toEqual({
    ...{ name: 'keep', namespace: 'shop', uid: 'keep', generation: 1, resourceVersion: '1' },
    creationTimestamp: '2026-01-02T03:04:05Z',
    annotations: { mine: 'yes' },
  })
  expect(get('keep')?.spec).toMatchObject({ default: false })
})

test('the cache returns the same object for a spec until its generation changes', () => {
  const { sink, get } = created()
  sink.changed(object('keep', 1))
  const first = get('keep')?.spec
  sink.changed(object('keep', 2, { status: { subscriptions: 3 } }))
  expect([get('keep')?.spec, get('keep')?.status]).toEqual([first, { subscriptions: 3 }])
  expect(get('keep')?.spec).toBe(first)
  sink.changed(object('keep', 3, { generation: 2 }))
  expect(get('keep')?.spec).not.toBe(first)
})

test('an older state never replaces a newer one in the cache, and an equal one is not announced', () => {
  const { cache, sink, get, announced } = created()
  sink.changed(object('keep', 9))
  cache.refresh(object('keep', 12, { status: { subscriptions: 1 } }))
  for (const version of [9, 10, 11, 12]) sink.changed(object('keep', version))
  expect(get('keep')?.status).toEqual({ subscriptions: 1 })
  expect(announced).toEqual(['keep is', 'keep is'])
})

test('the answer to a write neither restores a deleted object nor changes another one of the same name', () => {
  const { cache, sink, get } = created()
  sink.changed(object('keep', 1))
  sink.gone(object('keep', 2))
  cache.refresh(object('keep', 3))
  expect(get('keep')).toBeUndefined()
  sink.changed(object('keep', 4, { uid: 'another' }))
  cache.refresh(object('keep', 5))
  sink.gone(object('keep', 6))
  expect(get('keep')?.metadata.uid).toBe('another')
})

test('a list announces which objects are gone, and which were replaced by another of the same name', () => {
  const { sink, cache, announced } = created()
  for (const [name, version] of [
    ['a', 1],
    ['b', 2],
    ['c', 3],
  ] as const)
    sink.changed(object(name, version))
  announced.length = 0
  sink.replace([object('a', 1), object('b', 7, { uid: 'another' }), object('d', 8)], sink.now())
  expect(announced).toEqual(['b is not', 'b is', 'd is', 'c is not'])
  expect(cache.list()).toHaveLength(3)
})

test('a list is the present state even if the server was restored to an earlier one, except for what was written since', () => {
  const { sink, cache, get } = created()
  sink.changed(object('restored', 90, { status: { subscriptions: 9 } }))
  sink.changed(object('written', 40))
  const asked = sink.now()
  cache.refresh(object('written', 50, { status: { subscriptions: 5 } }))
  sink.replace([object('restored', 30), object('written', 40)], asked)
  expect([get('restored')?.status, get('written')?.status]).toEqual([{}, { subscriptions: 5 }])
})

test('a list of one namespace does not remove objects of another', () => {
  const { cache, sink, get } = created()
  sink.changed(object('keep', 1))
  cache.sink('elsewhere').replace([], sink.now())
  expect(get('keep')).toBeDefined()
  cache.sink('shop').replace([], sink.now())
  expect(get('keep')).toBeUndefined()
})

test('an invalid object is left out, or stays as it last was, and is reported once per generation', () => {
  const { cache, sink, get, reported, announced } = created()
  const bad: Spec = { default: 'sometimes' }
  sink.changed(object('keep', 1, { spec: bad }))
  sink.changed(object('keep', 2, { spec: bad, status: { subscriptions: 1 } }))
  expect([get('keep'), cache.list(), announced]).toEqual([undefined, [], []])

  sink.changed(object('keep', 3, { generation: 2, spec: { default: true } }))
  sink.changed(object('keep', 4, { generation: 3, spec: bad, status: { subscriptions: 2 } }))
  expect(get('keep')).toMatchObject({
    metadata: { generation: 2, resourceVersion: '4' },
    spec: { default: true },
    status: { subscriptions: 2 },
  })
  expect(reported).toEqual([
    ['keep', 'spec.default', true],
    ['keep', 'spec.default', false],
  ])
})

test.each([null, 7, 'text', {}, { metadata: null }, { metadata: { name: 'keep', namespace: 'shop', uid: 'u' } }])(
  'the value %j is not an object, and does not change the cache',
  (garbage) => {
    const { cache, sink, announced } = created()
    sink.changed(garbage)
    sink.gone(garbage)
    sink.replace([garbage], sink.now())
    cache.refresh(garbage)
    expect([cache.list(), announced]).toEqual([[], []])
  },
)
