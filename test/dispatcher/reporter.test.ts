import { stamp, verdict } from '../../src/api/conditions.ts'
import type { Subscription } from '../../src/api/kinds/subscription.ts'
import { createObservations } from '../../src/dispatcher/status/observations.ts'
import { createReporter } from '../../src/dispatcher/status/reporter.ts'
import type { Worker } from '../../src/dispatcher/workers/worker.ts'

test('a finding about one generation of a resource is not written as one about the next generation', async () => {
  const at = (generation: number) =>
    ({ kind: 'Subscription', metadata: { namespace: 'shop', name: 'gone', uid: 'one', generation } }) as Subscription
  const written: unknown[] = []
  const local = createObservations('this one')
  const reporter = createReporter({
    // It was changed after the dispatcher last read it.
    store: {
      get: () => at(2) as never,
      applyStatus: async (_, __, ___, status) => void written.push(status),
      record() {},
    },
    metrics: { statusWrites: { inc() {} } } as never,
    local,
    replicas: { observations: () => [], news: () => new Set() },
    now: Date.now,
  })
  local.idle({ subscription: at(1), reason: 'Gone', message: 'The subscriber answered 410 Gone' })
  await reporter.write()
  const suspended = expect.objectContaining({ type: 'Suspended', reason: 'Gone', observedGeneration: 1 })
  expect(written).toEqual([expect.objectContaining({ conditions: expect.arrayContaining([suspended]) })])
})

test('Ready is written with the conditions that it follows from, and the generation that the operator declared', async () => {
  const declared = [
    verdict('Accepted', 'True', 'Accepted', ''),
    verdict('ResolvedRefs', 'True', 'ResolvedRefs', ''),
    verdict('Programmed', 'True', 'Programmed', ''),
    verdict('Ready', 'False', 'NotDelivering', 'No dispatcher has reported on it yet'),
  ]
  let billing = {
    kind: 'Subscription',
    metadata: { namespace: 'shop', name: 'billing', uid: 'one', generation: 3 },
    spec: { suspend: false },
    status: { conditions: stamp(declared, undefined, 2, new Date(0)) },
  } as unknown as Subscription
  const recorded: string[] = []
  const local = createObservations('this one')
  const reporter = createReporter({
    store: {
      get: () => billing as never,
      async applyStatus(_, __, ___, { conditions = [] }) {
        const others = billing.status?.conditions?.filter((old) => conditions.every(({ type }) => type !== old.type))
        billing = { ...billing, status: { conditions: [...(others ?? []), ...conditions] } } as Subscription
      },
      record: (_, { type, reason }) => void recorded.push(`${type} ${reason}`),
    },
    metrics: { statusWrites: { inc() {} } } as never,
    local,
    replicas: { observations: () => [], news: () => new Set() },
    now: Date.now,
  })
  let waiting: { reason: 'NoConsumer'; message: string } | undefined
  const state = () => ({ generation: 3, starting: false, gone: false, waiting })
  const worker = { route: { id: 'Subscription/shop/billing', subscription: billing }, state } as unknown as Worker
  const ready = () => billing.status?.conditions?.find(({ type }) => type === 'Ready')

  local.changed(worker)
  await reporter.write()
  expect(ready()).toMatchObject({ status: 'True', reason: 'Ready', observedGeneration: 2 })
  waiting = { reason: 'NoConsumer', message: 'The queue is gone' }
  local.changed(worker)
  await reporter.write()
  expect(ready()).toMatchObject({ status: 'False', reason: 'NotDelivering', message: 'The queue is gone' })
  expect(recorded).toEqual(['Normal Ready', 'Warning NotDelivering'])
})
