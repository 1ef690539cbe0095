import { createMetrics } from '../../src/telemetry/metrics.ts'

const seriesOf = async (metrics: ReturnType<typeof createMetrics>, label: string): Promise<string[]> =>
  (await metrics.registry.metrics()).split('\n').filter((line) => line.startsWith('waybill_') && line.includes(label))

const use = (metrics: ReturnType<typeof createMetrics>, name: string): void => {
  metrics.subscriptionBacklog.set({ namespace: 'shop', subscription: name, state: 'ready' }, 1)
  metrics.scalingPending.labels('shop', name).set(1)
  metrics.deliveryAttempts.labels('shop', name, 'delivered', '2xx').inc()
  metrics.deliveryAttempts.labels('shop', name, 'retried', 'none').inc()
  metrics.deliveryDuration.labels('shop', name).observe(0.2)
  metrics.deadLetters.set({ namespace: 'shop', subscription: name }, 1)
  metrics.deadLettered.labels('shop', name, 'Exhausted').inc()
  metrics.copyUnconfirmed.labels('shop', name).inc()
  const labels = { namespace: 'shop', subscription: name }
  const { queueUnreadable, retryBlocked, inFlight, concurrency, oldestMessage, lastSuccess } = metrics
  for (const each of [queueUnreadable, retryBlocked, inFlight, concurrency, oldestMessage, lastSuccess])
    each.follow(labels, () => 1)
  metrics.delayed.of(labels).add(60_000, Date.now())
  metrics.delivering.set({ ...labels, reason: 'Delivering' }, 1)
  metrics.deliveryFailures.inc({ ...labels, reason: 'Timeout' })
  metrics.publicationToDelivery.labels('shop', name).observe(2)
}

test('the names of metrics have the prefix waybill_, except for those of the process itself', async () => {
  const text = await createMetrics().registry.metrics()
  expect(text).toContain('process_cpu_seconds_total')
  expect(text.match(/^# TYPE (?!process_|nodejs_|waybill_).*/gm)).toBeNull()
})

test('all series of a deleted subscription are removed, and no others are', async () => {
  const metrics = createMetrics()
  use(metrics, 'mail')
  const before = (await seriesOf(metrics, '"mail"')).length
  use(metrics, 'bill')
  await metrics.forgetSubscription('shop', 'mail')
  expect(await seriesOf(metrics, '"mail"')).toEqual([])
  expect(await seriesOf(metrics, '"bill"')).toHaveLength(before)
  await metrics.forgetSubscription('shop', 'never-there')
})

test('all series of a Queue that is gone are removed, and none of a Subscription of that name', async () => {
  const metrics = createMetrics()
  use(metrics, 'mail')
  const before = await seriesOf(metrics, '"mail"')
  metrics.deadLetters.set({ namespace: 'shop', queue: 'mail' }, 1)
  metrics.deadLettersAlert.set({ namespace: 'shop', queue: 'mail' }, 1)
  metrics.deadLettersOldest.setSince({ namespace: 'shop', queue: 'mail' }, 0)
  metrics.queueBacklog.set({ namespace: 'shop', queue: 'mail', state: 'ready' }, 1)
  expect(await seriesOf(metrics, 'queue="mail"')).toHaveLength(4)
  metrics.forgetQueue('shop', 'mail')
  expect(await seriesOf(metrics, '"mail"')).toEqual(before)
})

test('all series of a deleted broker are removed, and no others are', async () => {
  const metrics = createMetrics()
  for (const broker of ['main', 'other']) {
    metrics.brokerConnected.labels('shop', broker).set(1)
    metrics.brokerAmqpConnected.labels('shop', broker).set(1)
    metrics.brokerDelayedMessages.labels('shop', broker, '5s').set(1)
    metrics.brokerChanges.labels('shop', broker, 'bind', 'applied').inc()
    metrics.orphanedMessages.labels('shop', broker).set(1)
    metrics.retainedObjects.labels('shop', broker).set(1)
    metrics.driftDetected.labels('shop', broker, 'queue').inc()
    metrics.reconciles.labels('topology', 'shop', broker, 'done').inc()
    metrics.reconcileDuration.labels('topology', 'shop', broker).observe(1)
  }
  await metrics.forgetBroker('shop', 'main')
  await metrics.forgetReconciles({ controller: 'topology', namespace: 'shop', broker: 'main' })
  expect(await seriesOf(metrics, '"main"')).toEqual([])
  expect(await seriesOf(metrics, '"other"')).not.toEqual([])
})

test('only what counts up ends in _total', async () => {
  const text = await createMetrics().registry.metrics()
  const types = new Map([...text.matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(([, name, type]) => [name, type]))
  const wrong = [...types].filter(([name, type]) => name?.endsWith('_total') !== (type === 'counter'))
  expect(wrong).toEqual([])
  expect(text).toMatch(/^nodejs_active_handles\{/m)
})
