import { subscription } from '../../src/api/kinds/subscription.ts'
import { apiServer, describeWithHelm, kubectl, namespace } from '../support/api-server.ts'
import { installChartRoles } from '../support/chart.ts'
import { request } from '../support/kubernetes/request.ts'
import { brokerOf, subscriptionOf, topicOf } from '../support/manifests.ts'
import { connectProducer } from '../support/publish.ts'
import { startSubscriber } from '../support/subscriber.ts'
import { freshVhost } from '../support/vhost.ts'
import { eventually } from '../support/wait.ts'
import { startCommand } from '../support/waybill.ts'

const within = { timeoutMs: 60_000 }

describeWithHelm('two watched namespaces', () => {
  test('one ends with its roles first: its resources are let go, the other is delivered all the time, and after a restart too', async () => {
    await using cleanUp = new AsyncDisposableStack()
    const stays = cleanUp.adopt(await namespace('shop'), ({ drop }) => drop())
    const ends = cleanUp.adopt(await namespace('shop'), ({ drop }) => drop())
    const vhost = cleanUp.adopt(await freshVhost(), ({ drop }) => drop())
    const producer = cleanUp.adopt(await connectProducer(vhost.amqpUrl), ({ close }) => close())
    const subscriber = cleanUp.adopt(await startSubscriber(), ({ close }) => close())
    const watched = [stays.name, ends.name]
    const accounts = await installChartRoles({ namespace: stays.name, watchNamespaces: watched, release: stays.name })
    const start = async (component: 'operator' | 'dispatcher', ...args: string[]) => {
      const { kubeconfig, name } = accounts[component]
      const options = ['--lease-name', name, ...watched.flatMap((each) => ['--watch-namespace', each]), ...args]
      return cleanUp.adopt(
        await startCommand([component, ...options], { env: { KUBECONFIG: kubeconfig } }),
        ({ stop }) => stop(),
      )
    }
    const startBoth = async () => [
      await start('operator', '--dispatcher-lease-name', accounts.dispatcher.name),
      await start('dispatcher', '--allow-loopback'),
    ]
    const conditionOf = async (where: string, type: string) => {
      const path = `/apis/waybill.dev/v1alpha1/namespaces/${where}/${subscription.plural}/billing`
      const { body } = await request(apiServer(), 'GET', path)
      const { status } = body as { status?: { conditions?: { type: string; status: string }[] } }
      return status?.conditions?.find((each) => each.type === type)?.status
    }
    await stays.apply([
      ...brokerOf(vhost, { allowedNamespaces: { from: 'All' } }),
      topicOf('orders', { exchange: { name: 'orders' }, allowedSubscribers: { from: 'All' } }),
      subscriptionOf('billing', 'orders', subscriber.url),
    ])
    const topicRef = { name: 'orders', namespace: stays.name }
    await ends.apply([subscriptionOf('billing', 'orders', `${subscriber.url}/ends`, { topicRef })])
    const first = await startBoth()
    for (const { name } of [stays, ends])
      await eventually(async () => (await conditionOf(name, 'Ready')) === 'True', within)

    // In the order in which a namespace controller may do it.
    await kubectl(['-n', ends.name, 'delete', 'rolebinding,role', '--all'])
    await kubectl(['-n', ends.name, 'delete', subscription.plural, '--all', '--wait=false'])
    await eventually(async () => (await ends.get(subscription.plural, 'billing')) === undefined, within)

    const delivered = async (body: string) => {
      await producer.publish('orders', [{ routingKey: 'order.placed', body }])
      await eventually(() => subscriber.received.some((each) => each.body.toString() === body), within)
    }
    await delivered('after the end')
    const queues = async () => JSON.stringify(await vhost.manage('GET', `/queues/${vhost.name}`))
    await eventually(async () => !(await queues()).includes(`waybill.sub.${ends.name}.billing`), within)

    await Promise.all(first.map(({ stop }) => stop()))
    const [, dispatcher] = await startBoth()
    await eventually(async () => (await conditionOf(stays.name, 'Ready')) === 'True', within)
    await delivered('after the restart')
    expect(dispatcher?.logs()).toContain('Missing RBAC permission')
    expect(await conditionOf(stays.name, 'Delivering')).toBe('True')
  }, 240_000)
})
