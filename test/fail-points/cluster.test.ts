import { type Condition, isTrue } from '../../src/api/conditions.ts'
import { subscription } from '../../src/api/kinds/subscription.ts'
import { apiVersion } from '../../src/api/resource.ts'
import type { Effect } from '../../src/async/effects.ts'
import { apiServer, describeWithHelm } from '../support/api-server.ts'
import { type ClusterShop, openClusterShop } from '../support/cluster-shop.ts'
import { dyingAt, keepRunning } from '../support/keep-running.ts'
import { request } from '../support/kubernetes/request.ts'
import { brokerOf, subscriptionOf, topicOf } from '../support/manifests.ts'
import { startSubscriber } from '../support/subscriber.ts'
import { eventually } from '../support/wait.ts'

type Component = 'operator' | 'dispatcher'
type Dying = { readonly component: Component; readonly env: NodeJS.ProcessEnv }

const longMs = 90_000

/** What a life of two Subscriptions leaves behind, of which one is deleted, with both processes on Kubernetes. */
const life = async (dying?: Dying) => {
  await using shop = await openClusterShop()
  await using cleanUp = new AsyncDisposableStack()
  const { own, vhost, producer } = shop
  const subscriber = cleanUp.adopt(await startSubscriber(), ({ close }) => close())
  const run = async (component: Component) =>
    cleanUp.adopt(
      await keepRunning(
        (env) => shop.start(component, { env, args: component === 'dispatcher' ? ['--allow-loopback'] : [] }),
        dying?.component === component ? dying.env : {},
      ),
      ({ end }) => end(),
    )
  const ready = (name: string) =>
    eventually(async () => isTrue((await shop.get(subscription, name))?.status?.conditions, 'Ready'), {
      timeoutMs: longMs,
      everyMs: 100,
    })

  const [operator, dispatcher] = [await run('operator'), await run('dispatcher')]
  await own.apply([...brokerOf(vhost), topicOf('orders'), subscriptionOf('billing', 'orders', subscriber.url)])
  await own.apply(topicOf('spare', { deletionPolicy: 'Delete' }))
  await own.apply(subscriptionOf('mail', 'spare', subscriber.url))
  await ready('billing')
  await ready('mail')
  const exchange = `${own.name}.orders`
  await producer.publish(exchange, [{ routingKey: 'order.placed', body: 'first' }])
  await eventually(() => subscriber.received.length >= 1, { timeoutMs: longMs })
  const path = `/apis/${apiVersion}/namespaces/${own.name}`
  for (const one of ['subscriptions/mail', 'topics/spare']) await request(apiServer(), 'DELETE', `${path}/${one}`)
  const isGone = async (one: string) => (await request(apiServer(), 'GET', `${path}/${one}`)).status === 404
  await eventually(async () => (await isGone('subscriptions/mail')) && (await isGone('topics/spare')), {
    ...{ timeoutMs: longMs, everyMs: 100 },
  })
  await operator.restart()
  await dispatcher.restart()
  await own.apply(subscriptionOf('late', 'orders', subscriber.url))
  await ready('late')
  await ready('billing')
  return {
    deaths: operator.deaths + dispatcher.deaths,
    end: { ...(await topologyOf(shop)), resources: await resourcesOf(shop) },
  }
}

const topologyOf = async ({ vhost, own }: ClusterShop) => {
  const read = async (what: string) =>
    (await vhost.manage('GET', `/${what}/${vhost.name}`)) as Record<string, unknown>[]
  const plain = (text: string): string => text.replaceAll(own.name, 'NAMESPACE')
  return {
    queues: (await read('queues')).map(({ name }) => plain(String(name))).sort(),
    exchanges: (await read('exchanges')).map(({ name }) => plain(String(name))).sort(),
    bindings: (await read('bindings'))
      .map((one) => plain(`${one.source} ${one.destination} ${one.routing_key}`))
      .sort(),
    policies: (await read('policies')).map(({ name, pattern }) => plain(`${name} ${pattern}`)).sort(),
  }
}

/** Finalizers and conditions, without times and texts. */
const resourcesOf = async ({ own }: ClusterShop): Promise<string[]> => {
  const { body } = await request(apiServer(), 'GET', `/apis/${apiVersion}/namespaces/${own.name}/subscriptions`)
  type Item = { metadata: { name: string; finalizers?: string[] }; status?: { conditions?: Condition[] } }
  return (body as { items: Item[] }).items
    .map(({ metadata, status }) => {
      const conditions = (status?.conditions ?? [])
        .map(({ type, status: is, reason }) => `${type}=${is} ${reason}`)
        .sort()
      return `${metadata.name} ${metadata.finalizers} ${conditions.join(', ')}`
    })
    .toSorted()
}

const points: readonly (readonly [Component, Effect, number])[] = [
  ['operator', 'status-written', 2],
  ['operator', 'finalizer-written', 1],
  ['operator', 'lease-claimed', 1],
  ['operator', 'lease-released', 1],
  ['operator', 'queue-plugged', 1],
  ['operator', 'delete-queue', 1],
  ['operator', 'delete-exchange', 1],
  ['operator', 'delete-policy', 1],
  ['dispatcher', 'status-written', 1],
  ['dispatcher', 'lease-claimed', 2],
  ['dispatcher', 'lease-released', 1],
]
const moments = points.flatMap(([component, effect, on]) =>
  (['before', 'after'] as const).map((when) => [component, `${effect}:${when}`, on] as const),
)

describeWithHelm(
  'killed at any moment on Kubernetes, Waybill ends in the state of a life that nothing disturbed',
  () => {
    let undisturbed: ReturnType<typeof life>
    beforeAll(() => {
      undisturbed = life()
      return undisturbed
    }, 240_000)

    test.concurrent.each(moments)(
      '%s at %s, the time number %i',
      async (component, moment, on) => {
        const { deaths, end } = await life({ component, env: dyingAt(moment, on) })
        expect(deaths).toBe(1)
        expect(end).toEqual((await undisturbed).end)
      },
      300_000,
    )
  },
)
