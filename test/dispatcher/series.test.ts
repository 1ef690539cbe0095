import type { Subscription } from '../../src/api/kinds/subscription.ts'
import type { Failure, Outcome } from '../../src/delivery/attempt/outcome.ts'
import type { DeadLetterReason, Decision } from '../../src/delivery/decide.ts'
import { meter } from '../../src/dispatcher/pipeline/meter.ts'
import type { Settled } from '../../src/dispatcher/pipeline/settle.ts'
import { createMetrics } from '../../src/telemetry/metrics.ts'
import { textOf } from '../docs/pages.ts'

const failures: readonly Failure[] = [
  ...(['timeout', 'refused', 'unreachable', 'reset', 'dns', 'tls', 'blocked-address', 'bad-answer', 'other'] as const),
]
const reasons: readonly DeadLetterReason[] = ['Rejected', 'Gone', 'Exhausted', 'Expired', 'Unparsable', 'DeliveryLimit']

const outcomes: readonly Outcome[] = [
  { kind: 'delivered', status: 204 },
  ...[204, 302, 410, 503].map((status) => ({ kind: 'answered', status }) as const),
  ...failures.map((failure) => ({ kind: 'failed', failure, message: 'failed' }) as const),
  { kind: 'unsendable', message: 'unsendable' },
  { kind: 'abandoned' },
]
const decisions: readonly Decision[] = [
  { do: 'acknowledge' },
  { do: 'retry', delayMs: 5_000 } as Decision,
  ...reasons.map((reason) => ({ do: 'dead-letter', reason, message: 'dead' }) as Decision),
  { do: 'suspend' } as Decision,
  { do: 'requeue' } as Decision,
]

test('whatever happens to its messages, a subscription has no more series than docs/operations.md says, and none after it', async () => {
  const metrics = createMetrics()
  const { settled, unconfirmed } = meter(metrics, { metadata: { namespace: 'shop', name: 'mail' } } as Subscription)
  for (const outcome of outcomes) {
    for (const decision of decisions) {
      const attempt = { begunAt: 1 } as Settled['attempt']
      settled({ attempt, outcome, decision, endedAt: 2, published: 1 })
    }
  }
  unconfirmed()
  const series = async () => (await metrics.registry.metrics()).match(/^\w+\{.*subscription="mail".*$/gm) ?? []
  const [, documented] =
    /^\| Subscription, in each dispatcher \| .*; (\d+) where/m.exec(textOf('docs/operations.md')) ?? []
  const ofWorker = 6
  expect((await series()).length + ofWorker).toBeLessThanOrEqual(Number(documented))
  expect((await series()).length + ofWorker).toBeGreaterThan(60)
  await metrics.forgetSubscription('shop', 'mail')
  expect(await series()).toEqual([])
})
