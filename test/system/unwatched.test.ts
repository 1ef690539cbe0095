import { subscription } from '../../src/api/kinds/subscription.ts'
import { removalAnnotation } from '../../src/topology/health/removals.ts'
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

type Accounts = Awaited<ReturnType<typeof installChartRoles>>

/** Two namespaces with a Subscription each, of which one stays watched, on the broker of the one that stays. */
const setUp = async (cleanUp: AsyncDisposableStack) => {
  const stays = cleanUp.adopt(await namespace('shop'), ({ drop }) => drop())
  const leaves = cleanUp.adopt(await namespace('shop'), ({ drop }) => drop())
  const vhost = cleanUp.adopt(await freshVhost(), ({ drop }) => drop())
  const producer = cleanUp.adopt(await connectProducer(vhost.amqpUrl), ({ close }) => close())
  const subscriber = cleanUp.adopt(await startSubscriber(), ({ close }) => close())
  await stays.apply([
    ...brokerOf(vhost, { allowedNamespaces: { from: 'All' } }),
    topicOf('orders', { exchange: { name: 'orders' }, allowedSubscribers: { from: 'All' } }),
    subscriptionOf('billing', 'orders', `${subscriber.url}stays`),
  ])
  const topicRef = { name: 'orders', namespace: stays.name }
  await leaves.apply([subscriptionOf('billing', 'orders', `${subscriber.url}leaves`, { topicRef })])

  const startBoth = async (roles: object, ...watched: string[]) =>
    startWith(await installChartRoles({ namespace: stays.name, release: stays.name, ...roles }), ...watched)
  const startWith = async (accounts: Accounts, ...watched: string[]) => {
    const start = async (component: 'operator' | 'dispatcher', ...args: string[]) => {
      const { kubeconfig, name } = accounts[component]
      const command = [component, '--lease-name', name, ...watched, ...args]
      return cleanUp.adopt(await startCommand(command, { env: { KUBECONFIG: kubeconfig } }), ({ stop }) => stop())
    }
    return [
      await start('operator', '--dispatcher-lease-name', accounts.dispatcher.name),
      await start('dispatcher', '--allow-loopback'),
    ]
  }
  type Found = {
    metadata: { finalizers?: string[] }
    status?: { conditions?: { type: string; status: string; reason: string; message: string }[] }
  }
  const billing = async (where: string) => {
    const path = `/apis/waybill.dev/v1alpha1/namespaces/${where}/${subscription.plural}/billing`
    const { metadata, status } = (await request(apiServer(), 'GET', path)).body as Found
    const conditions = Object.fromEntries(status?.conditions?.map((each) => [each.type, each]) ?? [])
    return { finalizers: metadata.finalizers ?? [], conditions }
  }
  const untilReady = ({ name }: { name: string }) =>
    eventually(async () => (await billing(name)).conditions.Ready?.status === 'True', within)
  const untilReleased = ({ name }: { name: string }) =>
    eventually(async () => {
      const { finalizers, conditions } = await billing(name)
      expect(finalizers).toEqual([])
      expect(Object.keys(conditions)).toEqual(['Ready'])
      expect(conditions.Ready).toMatchObject({ status: 'Unknown', reason: 'NotWatched' })
      return true
    }, within)
  const publish = (body: string) => producer.publish('orders', [{ routingKey: 'order.placed', body }])
  const untilReceived = (body: string, ...paths: string[]) =>
    eventually(() => {
      const at = subscriber.received.filter((each) => each.body.toString() === body).map(({ path }) => path)
      expect(at.sort()).toEqual(paths)
      return true
    }, within)
  return { stays, leaves, vhost, startBoth, startWith, billing, untilReady, untilReleased, publish, untilReceived }
}

describeWithHelm('a namespace that is not watched any more', () => {
  test('that loses its labels is released, and taken up again with all that waited, while the other is delivered', async () => {
    await using cleanUp = new AsyncDisposableStack()
    const { stays, leaves, startBoth, untilReady, untilReleased, publish, untilReceived } = await setUp(cleanUp)
    const label = async ({ name }: { name: string }, team: string | null) => {
      const body = { metadata: { labels: { team } } }
      await request(apiServer(), 'PATCH', `/api/v1/namespaces/${name}`, body, 'application/merge-patch+json')
    }
    for (const each of [stays, leaves]) await label(each, stays.name)
    const selector = `team in (${stays.name})`
    await startBoth({ values: { watchNamespaceSelector: selector } }, '--watch-namespace-selector', selector)
    for (const each of [stays, leaves]) await untilReady(each)
    await publish('both')
    await untilReceived('both', '/leaves', '/stays')

    await label(leaves, null)
    await untilReleased(leaves)
    await publish('one')
    await untilReceived('one', '/stays')

    await label(leaves, stays.name)
    await untilReady(leaves)
    await untilReceived('one', '/leaves', '/stays')
  }, 180_000)

  test('that is taken out of the list is released by the next operator, and its queue stays', async () => {
    await using cleanUp = new AsyncDisposableStack()
    const { stays, leaves, vhost, startBoth, untilReady, untilReleased } = await setUp(cleanUp)
    const watch = (...all: { name: string }[]) => {
      const names = all.map(({ name }) => name)
      return startBoth({ watchNamespaces: names }, ...names.flatMap((name) => ['--watch-namespace', name]))
    }
    const first = await watch(stays, leaves)
    for (const each of [stays, leaves]) await untilReady(each)
    await Promise.all(first.map(({ stop }) => stop()))

    // As Helm does.
    await kubectl(['-n', leaves.name, 'delete', 'rolebinding,role', '--all'])
    await watch(stays)
    await untilReleased(leaves)
    await untilReady(stays)
    const queues = JSON.stringify(await vhost.manage('GET', `/queues/${vhost.name}`))
    expect(queues).toContain(`waybill.sub.${leaves.name}.billing`)
  }, 180_000)

  test('that is watched and cannot be listed keeps all that it has when what is retained is removed', async () => {
    await using cleanUp = new AsyncDisposableStack()
    const { stays, leaves, vhost, startWith, untilReady, publish, untilReceived } = await setUp(cleanUp)
    const names = [stays.name, leaves.name]
    const values = { rbac: { finalizersEverywhere: false } }
    const roles = { namespace: stays.name, release: stays.name, watchNamespaces: names, values }
    const accounts = await installChartRoles(roles)
    const watched = names.flatMap((name) => ['--watch-namespace', name])
    await stays.apply(subscriptionOf('gone', 'orders', 'http://127.0.0.1:9/'))
    const first = await startWith(accounts, ...watched)
    for (const each of [stays, leaves]) await untilReady(each)
    const queues = async () => JSON.stringify(await vhost.manage('GET', `/queues/${vhost.name}`))
    await eventually(async () => (await queues()).includes(`waybill.sub.${stays.name}.gone`), within)
    await Promise.all(first.map(({ stop }) => stop()))

    await kubectl(['-n', stays.name, 'delete', '--wait=false', `${subscription.plural}/gone`])
    const taken = ['patch', `${subscription.plural}/gone`, '--type=merge', '-p', '{"metadata":{"finalizers":null}}']
    await kubectl(['-n', stays.name, ...taken])
    await kubectl(['-n', leaves.name, 'delete', 'rolebinding,role', '--all'])
    const user = `system:serviceaccount:${accounts.operator.namespace}:${accounts.operator.name}`
    await eventually(async () => !(await mayList(user, leaves.name)), within)
    await kubectl(['-n', stays.name, 'annotate', 'brokers.waybill.dev/rabbitmq', `${removalAnnotation}=empty`])
    const second = await startWith(accounts, ...watched)
    await eventually(async () => !(await queues()).includes(`waybill.sub.${stays.name}.gone`), within)
    expect(second[0]?.logs()).toContain('Missing RBAC permission')
    const { status } = (await request(apiServer(), 'GET', brokerPath(stays.name))).body as { status?: object }
    expect(JSON.stringify(status)).not.toContain(leaves.name)
    await publish('meanwhile')
    await untilReceived('meanwhile', '/stays')

    await Promise.all(second.map(({ stop }) => stop()))
    await startWith(await installChartRoles(roles), ...watched)
    await untilReceived('meanwhile', '/leaves', '/stays')
  }, 240_000)
})

const brokerPath = (namespace: string): string => `/apis/waybill.dev/v1alpha1/namespaces/${namespace}/brokers/rabbitmq`

/** As the API server sees it: what it knows of roles is a little old. */
const mayList = async (user: string, namespace: string): Promise<boolean> => {
  const resourceAttributes = { verb: 'list', group: 'waybill.dev', resource: subscription.plural, namespace }
  const review = {
    apiVersion: 'authorization.k8s.io/v1',
    kind: 'SubjectAccessReview',
    spec: { user, resourceAttributes },
  }
  const { body } = await request(apiServer(), 'POST', '/apis/authorization.k8s.io/v1/subjectaccessreviews', review)
  return (body as { status: { allowed: boolean } }).status.allowed
}
