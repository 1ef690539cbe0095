import type { Subscription } from '../../src/api/subscription.ts'
import { createRegister } from '../../src/dispatcher/register.ts'
import { createReporter } from '../../src/dispatcher/report.ts'

test('what was found of one generation is not said of the next, which it may concern no longer', async () => {
  const at = (generation: number) =>
    ({ kind: 'Subscription', metadata: { namespace: 'shop', name: 'gone', uid: 'one', generation } }) as Subscription
  const written: unknown[] = []
  const register = createRegister('this one')
  const reporter = createReporter({
    // It was changed after the dispatcher last looked at it.
    store: {
      get: () => at(2) as never,
      applyStatus: async (_, __, ___, status) => void written.push(status),
      record() {},
    },
    metrics: { statusWrites: { inc() {} } } as never,
    register,
    replicas: { sights: () => [], news: () => new Set() },
    now: Date.now,
  })
  register.idle({ subscription: at(1), reason: 'Gone', message: 'The subscriber answered 410 Gone' })
  await reporter.write()
  const suspended = expect.objectContaining({ type: 'Suspended', reason: 'Gone', observedGeneration: 1 })
  expect(written).toEqual([expect.objectContaining({ conditions: expect.arrayContaining([suspended]) })])
})
