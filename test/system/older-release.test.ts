import { setTimeout as delay } from 'node:timers/promises'
import { subscription } from '../../src/api/kinds/subscription.ts'
import { apiServer, describeWithHelm } from '../support/api-server.ts'
import { type ClusterShop, openClusterShop } from '../support/cluster-shop.ts'
import { command } from '../support/kubernetes/command.ts'
import { installCrds } from '../support/kubernetes/crds.ts'
import { request, watchOf } from '../support/kubernetes/request.ts'
import { type ApiServer, type RunningApiServer, startServer, variable } from '../support/kubernetes/server.ts'
import { brokerOf, deadLetterPolicyOf, subscriptionOf, topicOf } from '../support/manifests.ts'
import { unpackOlderRelease } from '../support/older-release.ts'
import { watchReadiness } from '../support/readiness-watch.ts'
import { startSubscriber } from '../support/subscriber.ts'
import { eventually } from '../support/wait.ts'

const names = ['mailing', 'billing'] as const

/** An API server with the older CRDs, which `apiServer()` is until the end. */
const olderServer = async (definitions: string): Promise<RunningApiServer> => {
  const server = await startServer(apiServer().assets)
  await command(server, 'kubectl', ['apply', '--server-side', '-f', definitions])
  await command(server, 'kubectl', ['wait', '--for=condition=Established', '--timeout=30s', 'crd', '--all'])
  return server
}

const apiOf = (server: ApiServer) => ({
  get: async <T>(path: string) => (await request(server, 'GET', path)).body as T,
  watch: (path: string, signal: AbortSignal) => watchOf(server, path, signal),
})

const publishUntil = async (shop: ClusterShop, signal: AbortSignal): Promise<readonly string[]> => {
  const ids: string[] = []
  while (!signal.aborted) {
    const batch = Array.from({ length: 5 }, () => ({ routingKey: 'order.placed', body: {} }))
    ids.push(...(await shop.producer.publish(`${shop.own.name}.orders`, batch)))
    await delay(100)
  }
  return ids
}

describeWithHelm('after an older release', () => {
  test('this one takes over under load, whichever process is replaced first: nothing is lost, and no status flaps', async () => {
    await using cleanUp = new AsyncDisposableStack()
    const { program, definitions } = cleanUp.adopt(await unpackOlderRelease(), ({ drop }) => drop())
    const server = cleanUp.adopt(await olderServer(definitions), ({ stop }) => stop())
    const shared = process.env[variable]
    cleanUp.defer(() => {
      process.env[variable] = shared
    })
    process.env[variable] = JSON.stringify(server)
    const shop = cleanUp.use(await openClusterShop())
    const [mailing, billing] = [await startSubscriber(), await startSubscriber()]
    for (const subscriber of [mailing, billing]) cleanUp.defer(subscriber.close)
    await shop.own.apply([
      ...brokerOf(shop.vhost),
      topicOf('orders'),
      deadLetterPolicyOf('keep'),
      subscriptionOf('mailing', 'orders', mailing.url, { deadLetterPolicyRef: { name: 'keep' } }),
      subscriptionOf('billing', 'orders', billing.url, { deadLetterPolicyRef: { name: 'keep' } }),
    ])
    const args = ['--allow-loopback']
    const before = {
      operator: await shop.start('operator', { program }),
      dispatcher: await shop.start('dispatcher', { program, args }),
    }
    for (const name of names) await shop.condition(subscription, name, 'Ready', 'True')

    const watch = await watchReadiness(apiOf(server), shop.own.name)
    const ending = new AbortController()
    const published = publishUntil(shop, ending.signal)
    await installCrds(server)
    // Pods of both releases are there at once, and an old one ends when a new one is ready.
    await shop.start('operator')
    await before.operator.kill()
    await shop.start('dispatcher', { args })
    await before.dispatcher.kill()
    // The older release writes no generation of the status as a whole.
    for (const name of names) {
      await eventually(async () => (await shop.get(subscription, name))?.status?.observedGeneration === 1)
      await shop.condition(subscription, name, 'Ready', 'True')
    }
    ending.abort()
    const ids = await published

    expect(ids.length).toBeGreaterThan(50)
    for (const { received } of [mailing, billing]) {
      await eventually(() => new Set(received.map(({ headers }) => headers['ce-id'])).size >= ids.length)
      const events = received.map(({ headers }) => headers['ce-id'])
      expect(ids.filter((id) => !events.includes(id))).toEqual([])
      expect(events.length - ids.length).toBeLessThanOrEqual(5)
    }
    expect((await watch.end()).flaps).toEqual([])
    for (const name of names) expect(await shop.producer.look(`waybill.dlq.${shop.own.name}.${name}`)).toEqual([])
  }, 180_000)
})
