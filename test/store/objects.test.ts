import { topic as topicKind } from '../../src/api/kinds/topic.ts'
import { createObjects } from '../../src/store/directory/objects.ts'
import { parse } from '../../src/store/directory/parse.ts'
import type { Change } from '../../src/store/store.ts'
import { topic } from './manifests.ts'

const setUp = () => {
  const changes: Change[] = []
  let second = 0
  const objects = createObjects(
    () => new Date(Date.UTC(2030, 0, 1, 0, 0, second++)),
    (change) => changes.push(change),
  )
  const put = (text: string) => {
    const [item] = parse('a.yaml', text).items
    if (item?.content.is !== 'resource') throw new Error('Not a resource')
    return objects.put({ kind: item.content.kind, identity: item.identity, spec: item.content.spec })
  }
  const get = () => {
    const found = objects.get(topicKind, 'default', 'orders')
    if (!found) throw new Error('Gone')
    return found
  }
  return { objects, changes, put, get, has: () => objects.get(topicKind, 'default', 'orders') !== undefined }
}
const orders = topic('orders')
const dropping = topic('orders', 'brokerRef: { name: main }, unrouted: Drop')
const id = 'Topic/default/orders'

test('the generation of an object counts changes of its spec only', () => {
  const { put, get, changes } = setUp()
  put(orders)
  const { uid, creationTimestamp, generation } = get().metadata
  expect([generation, creationTimestamp]).toEqual([1, '2030-01-01T00:00:00Z'])
  put(orders)
  expect(changes).toHaveLength(1)
  put(topic('orders', undefined, ', labels: { team: shop }'))
  expect(get().metadata).toMatchObject({ uid, generation: 1, resourceVersion: '2', labels: { team: 'shop' } })
  put(dropping)
  expect(get().metadata).toMatchObject({ uid, generation: 2, resourceVersion: '3', creationTimestamp })
  expect(get().metadata.labels).toBeUndefined()
  expect(changes).toHaveLength(3)
})

test('a change of an immutable field is refused and nothing changes', () => {
  const { put, get, changes } = setUp()
  put(orders)
  const before = get()
  expect(put(topic('orders', 'brokerRef: { name: other }'))).toEqual([
    { field: 'spec.brokerRef', message: 'cannot be changed: create another resource instead' },
  ])
  expect(get()).toBe(before)
  expect(changes).toHaveLength(1)
})

test('a resource without a finalizer is deleted at once', () => {
  const { put, objects, has, changes } = setUp()
  put(orders)
  objects.remove(id)
  expect(has()).toBe(false)
  expect(changes).toHaveLength(2)
})

test('a resource with a finalizer stays until the finalizer is removed, and then its successor is created', () => {
  const { put, get, objects, has } = setUp()
  put(orders)
  objects.setFinalizer(get(), true)
  expect(get().metadata.finalizers).toEqual(['waybill.dev/topology'])
  objects.remove(id)
  const old = get()
  expect(old.metadata.deletionTimestamp).toBeDefined()
  put(dropping)
  expect(get()).toBe(old)
  objects.setFinalizer(old, false)
  expect(get().metadata.uid).not.toBe(old.metadata.uid)
  expect(get()).toMatchObject({ metadata: { generation: 1 }, spec: { unrouted: 'Drop' } })
  expect(get().status).toBeUndefined()
  objects.remove(id)
  expect(has()).toBe(false)
})

test('a successor that is removed again while its predecessor is being deleted is not created', () => {
  const { put, get, objects, has } = setUp()
  put(orders)
  objects.setFinalizer(get(), true)
  objects.remove(id)
  put(dropping)
  objects.remove(id)
  objects.setFinalizer(get(), false)
  expect(has()).toBe(false)
})

test('a resource that is being deleted gets no finalizer, and an old copy of it does not write to its successor', () => {
  const { put, get, objects } = setUp()
  put(orders)
  objects.setFinalizer(get(), true)
  objects.remove(id)
  const old = get()
  put(dropping)
  objects.setFinalizer(old, false)
  objects.setFinalizer(old, true)
  objects.applyStatus(old, 'waybill-operator', { exchange: 'x' })
  expect(get().metadata.finalizers).toBeUndefined()
  expect(get().status).toBeUndefined()
})

const condition = (type: string, status: string) => ({ type, status, reason: 'A', message: '', lastTransitionTime: '' })

test('each field manager owns the fields that it applied last', () => {
  const { put, get, objects, changes } = setUp()
  put(orders)
  const apply = (manager: 'operator' | 'dispatcher', status: Record<string, unknown>) =>
    objects.applyStatus(get(), `waybill-${manager}`, status)
  apply('dispatcher', { delivery: { delivered: 1 }, conditions: [condition('Delivering', 'True')] })
  apply('operator', {
    exchange: 'x',
    delivery: { lag: 2 },
    conditions: [condition('Ready', 'True'), condition('Conflicted', 'True')],
  })
  expect(get().status).toEqual({
    exchange: 'x',
    delivery: { delivered: 1, lag: 2 },
    conditions: [condition('Ready', 'True'), condition('Conflicted', 'True'), condition('Delivering', 'True')],
  })
  apply('operator', { conditions: [condition('Ready', 'False')] })
  expect(get().status).toEqual({
    delivery: { delivered: 1 },
    conditions: [condition('Ready', 'False'), condition('Delivering', 'True')],
  })
  const { resourceVersion, generation } = get().metadata
  const count = changes.length
  apply('operator', { conditions: [condition('Ready', 'False')], exchange: undefined })
  expect(get().metadata).toMatchObject({ resourceVersion, generation: 1 })
  expect([generation, changes.length]).toEqual([1, count])
})

test('a field that two field managers set has the value of the latest', () => {
  const { put, get, objects } = setUp()
  put(orders)
  const ready = (status: string) => ({ conditions: [condition('Ready', status)] })
  for (const status of ['False', 'True', 'Unknown']) {
    objects.applyStatus(get(), 'waybill-dispatcher', ready(status))
    expect(get().status).toEqual(ready(status))
    objects.applyStatus(get(), 'waybill-operator', ready(`not ${status}`))
    expect(get().status).toEqual(ready(`not ${status}`))
  }
})

test('a list of objects is built once for each change', () => {
  const { put, objects } = setUp()
  put(orders)
  const first = objects.list(topicKind)
  expect(objects.list(topicKind)).toBe(first)
  put(dropping)
  expect(objects.list(topicKind)).not.toBe(first)
})
