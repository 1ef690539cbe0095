import { readFile } from 'node:fs/promises'
import { becomes } from '../conditions.ts'
import { brokerOf, listOf, secretOf, subscriptionOf, topicOf } from '../manifests.ts'
import { doomed } from '../names.ts'
import { ownNamespace } from '../own-namespace.ts'
import { inRepository, type World } from '../world.ts'

const count = 50

/** Fifty subscriptions whose broker stops, starts again without data, and is deleted with their namespace. */
export const brokerGone = async ({ cluster, proxy, report }: World): Promise<void> => {
  report.section(`The broker of ${count} subscriptions fails`)
  const { kubectl } = cluster
  const names = Array.from({ length: count }, (_, at) => `many-${at}`)
  const broker = { namespace: doomed, path: 'brokers/rabbitmq' }
  const lastSubscription = { namespace: doomed, path: `subscriptions/${names.at(-1)}` }
  const rabbit = async (replicas: 0 | 1): Promise<void> => {
    await kubectl(['-n', doomed, 'scale', 'statefulset/rabbitmq', `--replicas=${replicas}`])
    if (replicas === 1) {
      await kubectl(['-n', doomed, 'rollout', 'status', 'statefulset/rabbitmq', '--timeout=120s'])
    } else {
      await kubectl(['-n', doomed, 'delete', 'pods', '--all', '--force', '--grace-period=0'])
    }
  }
  const allReady = () =>
    kubectl(['-n', doomed, 'wait', '--for=condition=Ready', 'subscriptions', '--all', '--timeout=60s'])

  const opened = await report.step(`${count} subscriptions on a new broker become Ready within 60 s`, async () => {
    const text = await readFile(inRepository('examples/kubernetes/rabbitmq.yaml'), 'utf8')
    const own = text.replaceAll(/^( {2}(?:name|namespace): )shop$/gm, `$1${doomed}`)
    await ownNamespace(cluster, doomed)
    await kubectl(['apply', '-f', '-'], { input: own })
    await rabbit(1)
    const resources = [
      secretOf(doomed, `amqp://guest:guest@rabbitmq.${doomed}.svc:5672`),
      brokerOf(doomed),
      topicOf(doomed, 'orders'),
      ...names.map((name) => subscriptionOf(doomed, name, 'orders')),
    ]
    await kubectl(['apply', '-f', '-'], { input: listOf(...resources) })
    await allReady()
  })
  if (!opened) return
  await report.step('the broker is stopped: Broker and subscriptions become not Ready within 10 s', async () => {
    await rabbit(0)
    const { took, condition } = await becomes(proxy, broker, 'Ready', 'False', 10_000)
    await becomes(proxy, lastSubscription, 'Ready', 'False', 10_000)
    return `${took}, ${condition.reason}`
  })
  await report.step('the broker starts without data: everything is declared again and becomes Ready', async () => {
    await rabbit(1)
    const { took } = await becomes(proxy, broker, 'Ready', 'True', 10_000)
    await allReady()
    return `Broker Ready after ${took}`
  })
  await report.step('the broker never comes back: its namespace can be deleted within two minutes', async () => {
    await rabbit(0)
    await kubectl(['delete', 'namespace', doomed, '--timeout=120s'])
  })
}
