import { idOf } from '../../src/api/resource.ts'
import { startOperator } from '../../src/operator/main.ts'
import { openDirectory } from '../../src/store/directory/store.ts'
import { createLog } from '../../src/telemetry/log.ts'
import { createMetrics } from '../../src/telemetry/metrics.ts'
import { brokerOf, manifestFolder, queueOf } from '../support/manifests.ts'
import { freshVhost } from '../support/vhost.ts'
import { eventually } from '../support/wait.ts'

test('a resource is declared only after it has its finalizer, and does not wait for the finalizer of another', async () => {
  await using cleanUp = new AsyncDisposableStack()
  const vhost = cleanUp.adopt(await freshVhost(), ({ drop }) => drop())
  const folder = cleanUp.adopt(manifestFolder(), ({ drop }) => drop())
  folder.write('all', [...brokerOf(vhost), queueOf('slow'), queueOf('quick')])
  const stop = cleanUp.adopt(new AbortController(), (controller) => controller.abort())
  const log = createLog({ level: 'silent' })
  const store = await openDirectory([folder.path], { log }, stop.signal)
  const slow = Promise.withResolvers<void>()
  const operator = startOperator(
    {
      store: {
        ...store,
        async setFinalizer(kind, resource, present) {
          if (idOf(resource) === 'Queue/shop/slow') await slow.promise
          await store.setFinalizer(kind, resource, present)
        },
      },
      instance: 'waybill',
      log,
      metrics: createMetrics(),
    },
    stop.signal,
  )
  cleanUp.defer(async () => {
    stop.abort()
    await operator.done
  })
  const has = async (...names: string[]): Promise<boolean> => {
    const queues = (await vhost.manage('GET', `/queues/${encodeURIComponent(vhost.name)}?columns=name`)) as {
      name: string
    }[]
    return names.every((name) => queues.some((queue) => queue.name === name))
  }
  await eventually(() => has('shop.quick'))
  expect(await has('shop.slow')).toBe(false)
  slow.resolve()
  await eventually(() => has('shop.quick', 'shop.slow'))
})
