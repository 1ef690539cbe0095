import type { AnyKind } from '../../src/api/kinds/kinds.ts'
import { measureResources } from '../../src/store/measure-resources.ts'
import type { Store } from '../../src/store/store.ts'
import { createMetrics } from '../../src/telemetry/metrics.ts'

const condition = (type: string, status: string, reason: string, observedGeneration = 1) => ({
  ...{ type, status, reason, observedGeneration },
})

const resource = (name: string, conditions: object[], { generation = 1, ...metadata } = {}) => ({
  metadata: { namespace: 'shop', name, generation, ...metadata },
  status: { conditions },
})

const measured = async (
  resources: Readonly<Record<string, object[]>>,
  metrics = createMetrics(),
): Promise<string[]> => {
  const store = { list: (kind: AnyKind) => resources[kind.kind] ?? [] } as unknown as Pick<Store, 'list'>
  measureResources(store, metrics)
  const text = await metrics.registry.metrics()
  return text.split('\n').filter((line) => /^waybill_(resources_|subscription_delivering)/.test(line))
}

test('resources are counted by what Ready says, and jobs are not', async () => {
  const lines = await measured({
    Topic: [
      resource('a', [condition('Ready', 'True', 'Ready')]),
      resource('b', [condition('Ready', 'True', 'Ready')]),
      resource('c', [condition('Ready', 'False', 'NotAccepted')]),
      resource('d', []),
    ],
    Replay: [resource('a', [condition('Complete', 'True', 'Completed')])],
  })
  expect(lines).toEqual(
    expect.arrayContaining([
      'waybill_resources_ready{kind="Topic",status="True",reason="Ready"} 2',
      'waybill_resources_ready{kind="Topic",status="False",reason="NotAccepted"} 1',
      'waybill_resources_ready{kind="Topic",status="Unknown",reason="Pending"} 1',
      'waybill_resources_outdated{kind="Topic"} 1',
      'waybill_resources_outdated{kind="Queue"} 0',
    ]),
  )
  expect(lines.filter((line) => line.includes('Replay'))).toEqual([])
})

test('a status of an older generation is outdated, unless the resource is being deleted', async () => {
  const seen = [condition('Ready', 'True', 'Ready', 1)]
  const lines = await measured({
    Queue: [
      resource('a', seen, { generation: 2 }),
      resource('b', seen, { generation: 2, ...{ deletionTimestamp: '2026-01-01T00:00:00Z' } }),
      resource('c', seen),
    ],
  })
  expect(lines).toContain('waybill_resources_outdated{kind="Queue"} 1')
})

test('a subscription has one series, which follows the reason of Delivering and goes with it', async () => {
  const metrics = createMetrics()
  const with_ = (...conditions: object[]) => measured({ Subscription: [resource('mail', conditions)] }, metrics)
  const series = (lines: readonly string[]) =>
    lines.filter((line) => line.startsWith('waybill_subscription_delivering'))
  const labels = 'namespace="shop",subscription="mail"'
  expect(series(await with_(condition('Delivering', 'True', 'Delivering')))).toEqual([
    `waybill_subscription_delivering{${labels},reason="Delivering"} 1`,
  ])
  expect(series(await with_(condition('Delivering', 'False', 'AllAttemptsFailing')))).toEqual([
    `waybill_subscription_delivering{${labels},reason="AllAttemptsFailing"} 0`,
  ])
  expect(series(await measured({}, metrics))).toEqual([])
})
