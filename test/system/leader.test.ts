import { setTimeout as delay } from 'node:timers/promises'
import { isTrue } from '../../src/api/conditions.ts'
import { subscription } from '../../src/api/kinds/subscription.ts'
import { apiVersion, type Resource } from '../../src/api/resource.ts'
import { type AmqpRecorder, amqpRecorder, isChange } from '../support/amqp-recorder.ts'
import { apiServer, describeWithHelm } from '../support/api-server.ts'
import { type ClusterShop, openClusterShop } from '../support/cluster-shop.ts'
import { httpRecorder } from '../support/http-recorder.ts'
import { type FaultyProxy, faultyProxy, type Seen } from '../support/kubernetes/faulty-proxy.ts'
import { request } from '../support/kubernetes/request.ts'
import { standsBy, timesLed } from '../support/lease-lines.ts'
import { brokerOf, subscriptionOf, topicOf } from '../support/manifests.ts'
import { eventually } from '../support/wait.ts'

const isChanging = (request: string): boolean => !request.startsWith('GET ')
const isWrite = ({ verb }: Seen): boolean => !['get', 'list', 'watch'].includes(verb)

/** All subscriptions of the shop. */
const subscriptions = async ({ own }: ClusterShop): Promise<Resource<typeof subscription>[]> => {
  const { body } = await request(apiServer(), 'GET', `/apis/${apiVersion}/namespaces/${own.name}/subscriptions`)
  return (body as { items: Resource<typeof subscription>[] }).items
}

describeWithHelm('two operators', () => {
  type Recorders = { readonly amqp: AmqpRecorder; readonly api: FaultyProxy }
  test.each([
    { work: 'declaring', isAtIt: ({ amqp }: Recorders) => amqp.methods.filter(isChange).length > 100 },
    { work: 'writing statuses', isAtIt: ({ api }: Recorders) => api.count('patch', '/status') > 10 },
  ])(
    'a leader that is paused while $work is replaced, and writes nothing when it resumes',
    async ({ isAtIt }) => {
      await using shop = await openClusterShop()
      await using cleanUp = new AsyncDisposableStack()
      const { own, vhost } = shop
      const api = cleanUp.adopt(await faultyProxy(apiServer()), ({ close }) => close())
      const management = cleanUp.adopt(await httpRecorder(vhost.managementUrl), ({ close }) => close())
      const amqp = cleanUp.adopt(await amqpRecorder(vhost.endpoint.amqp), ({ close }) => close())
      const connection = new URL(vhost.secret.connection_string)
      connection.host = `127.0.0.1:${amqp.port}`
      const secret = { connection_string: connection.href, management_uri: management.url }
      await own.apply([...brokerOf({ ...vhost, secret }, { resyncInterval: '1h' }), topicOf('orders')])
      const names = Array.from({ length: 60 }, (_, index) => `billing-${index}`)
      await Promise.all(
        names.map(async (name) => {
          const manifest = subscriptionOf(name, 'orders', 'http://127.0.0.1:9/')
          const body = { ...manifest, metadata: { name, namespace: own.name } }
          await request(apiServer(), 'POST', `/apis/${apiVersion}/namespaces/${own.name}/subscriptions`, body)
        }),
      )

      const first = await shop.start('operator', { args: ['--identity', 'first'], through: api.cluster().server })
      await eventually(() => timesLed(first) === 1)
      const second = await shop.start('operator', { args: ['--identity', 'second'] })
      await eventually(() => isAtIt({ amqp, api }), { timeoutMs: 30_000, everyMs: 1 })
      process.kill(first.pid, 'SIGSTOP')
      const stoppedAt = performance.now()

      await eventually(() => timesLed(second) === 1, { timeoutMs: 20_000 })
      expect(performance.now() - stoppedAt).toBeGreaterThan(12_900)
      await eventually(
        async () => (await subscriptions(shop)).every(({ status }) => isTrue(status?.conditions, 'Programmed')),
        { timeoutMs: 60_000, everyMs: 200 },
      )
      // Until the second operator is idle, changes are its own.
      const changes = () => amqp.methods.filter(isChange).length + management.requests.filter(isChanging).length
      await eventually(
        async () => {
          const before = changes()
          await delay(3_000)
          return changes() === before
        },
        { timeoutMs: 60_000 },
      )

      const [methods, requests, seen] = [amqp.methods.length, management.requests.length, api.seen.length]
      const versions = async () => (await subscriptions(shop)).map(({ metadata }) => metadata.resourceVersion)
      const settled = await versions()
      process.kill(first.pid, 'SIGCONT')
      await eventually(() => standsBy(first), { timeoutMs: 30_000 })
      await delay(5_000)
      expect(amqp.methods.slice(methods).filter(isChange)).toEqual([])
      expect(management.requests.slice(requests).filter(isChanging)).toEqual([])
      expect(
        api.seen
          .slice(seen)
          .filter(isWrite)
          .map(({ verb, path }) => `${verb} ${path}`),
      ).toEqual([])
      expect(await versions()).toEqual(settled)
      expect(first.logs()).toContain('Lost the lease')
      const metrics = await (await fetch(`${first.server}/metrics`)).text()
      expect(metrics).toMatch(/^waybill_leading 0$/m)
      expect(metrics).not.toMatch(/^waybill_(broker_connected|subscription_backlog)\{/m)
      for (const line of first.logs().trimEnd().split('\n')) expect(JSON.parse(line).level).not.toBe('error')

      // The other way round: a leader that stops gracefully is replaced at once.
      const askedAt = performance.now()
      const ended = second.kill('SIGTERM')
      await eventually(() => timesLed(first) === 2)
      expect(performance.now() - askedAt).toBeLessThan(5_000)
      expect(await ended).toBe(0)
      await own.apply(subscriptionOf('late', 'orders', 'http://127.0.0.1:9/'))
      await shop.condition(subscription, 'late', 'Programmed', 'True')
      expect(await first.kill('SIGTERM')).toBe(0)
    },
    240_000,
  )
})
