import { broker } from '../../src/api/kinds/broker.ts'
import { queue } from '../../src/api/kinds/queue.ts'
import { subscription } from '../../src/api/kinds/subscription.ts'
import { topic } from '../../src/api/kinds/topic.ts'
import { httpRecorder } from '../support/http-recorder.ts'
import { type Stage, startStage } from '../support/in-process.ts'
import { brokerOf, queueOf, subscriptionOf, topicOf } from '../support/manifests.ts'
import { startSubscriber } from '../support/subscriber.ts'
import { eventually } from '../support/wait.ts'

const url = 'http://127.0.0.1:9/'
const everything = (stage: Pick<Stage, 'vhost'>) => [
  ...brokerOf(stage.vhost),
  topicOf('orders'),
  queueOf('work', { maxLength: 5, bindings: [{ topicRef: { name: 'orders' } }] }),
  subscriptionOf('billing', 'orders', url),
]

describe('objects that somebody deletes or changes on the broker', () => {
  let stage: Stage
  beforeAll(async () => {
    stage = await startStage({ only: 'operator' })
    stage.folder.write('all', everything(stage))
    await stage.condition(subscription, 'billing', 'Programmed', 'True')
    await stage.condition(queue, 'work', 'Ready', 'True')
  })
  afterAll(() => stage.close())

  const foreign = { pattern: '^nothing$', definition: { 'max-length': 1 }, priority: 1, 'apply-to': 'queues' }
  test.each([
    { kind: 'queue', path: '/queues/%/waybill.sub.shop.billing' },
    { kind: 'queue', path: '/queues/%/waybill.delay.5s' },
    { kind: 'exchange', path: '/exchanges/%/shop.orders' },
    { kind: 'exchange', path: '/exchanges/%/waybill.return' },
    { kind: 'policy', path: '/policies/%/waybill:Queue%2Fshop%2Fwork' },
    { kind: 'policy', path: '/policies/%/waybill:Queue%2Fshop%2Fwork', replace: foreign },
    { kind: 'binding', path: '/bindings/%/e/waybill.return/q/waybill.sub.shop.billing' },
  ])(
    'a $kind that is deleted or changed on the broker is repaired within the resync interval: $path',
    async ({ kind, path, replace }) => {
      const { vhost, metric, logs, condition } = stage
      const at = path.replace('%', encodeURIComponent(vhost.name))
      const definition = async () => {
        const all = (await vhost.manage('GET', `/definitions/${encodeURIComponent(vhost.name)}`)) as Record<
          string,
          unknown
        >
        const sorted = (list: unknown) => (list as object[]).map((one) => JSON.stringify(one)).sort()
        return ['queues', 'exchanges', 'bindings', 'policies'].map((list) => sorted(all[list]))
      }
      const before = await definition()
      const drifts = await metric('waybill_drift_detected_total', { kind })
      if (replace) await vhost.manage('PUT', at, replace)
      else if (kind === 'binding') {
        const [{ properties_key }] = (await vhost.manage('GET', at)) as [{ properties_key: string }]
        await vhost.manage('DELETE', `${at}/${encodeURIComponent(properties_key)}`)
      } else await vhost.manage('DELETE', at)
      await eventually(async () => {
        expect(await definition()).toEqual(before)
        return true
      })
      await eventually(async () => (await metric('waybill_drift_detected_total', { kind })) > drifts)
      expect(logs()).toContain('DriftDetected')
      await condition(broker, 'rabbitmq', 'Ready', 'True')
      await condition(subscription, 'billing', 'Programmed', 'True')
    },
  )
})

test('Waybill only reads while nothing changes, and writes nothing to the broker or to statuses', async () => {
  const stage = await startStage()
  const { vhost, folder, condition, metric } = stage
  const recorder = await httpRecorder(vhost.managementUrl)
  const subscriber = await startSubscriber()
  try {
    const secret = { ...vhost.secret, management_uri: recorder.url }
    folder.write('all', [
      ...everything({ vhost: { ...vhost, secret } }).slice(0, -1),
      subscriptionOf('billing', 'orders', subscriber.url),
    ])
    await condition(subscription, 'billing', 'Ready', 'True')
    await condition(topic, 'orders', 'Ready', 'True')
    const reconciles = () => metric('waybill_reconcile_total', { controller: 'topology' })
    const until = async (count: number) => {
      const goal = (await reconciles()) + count
      await eventually(async () => (await reconciles()) >= goal)
    }
    await until(2)
    const seen = recorder.requests.length
    const [changes, writes] = [
      await metric('waybill_broker_changes_total'),
      await metric('waybill_status_writes_total'),
    ]
    await until(4)
    const asked = recorder.requests.slice(seen)
    expect(asked.length).toBeGreaterThanOrEqual(8)
    expect(asked.filter((one) => !one.startsWith('GET '))).toEqual([])
    expect(await metric('waybill_broker_changes_total')).toBe(changes)
    expect(await metric('waybill_status_writes_total')).toBe(writes)
    expect(await metric('waybill_drift_detected_total')).toBe(0)
  } finally {
    await stage.close()
    await recorder.close()
    await subscriber.close()
  }
})

test('a broker with management: Observe is not changed, and what is missing is reported', async () => {
  const stage = await startStage({ only: 'operator' })
  const { vhost, folder, condition, noCondition, metric } = stage
  try {
    folder.write('broker', brokerOf(vhost, { management: 'Observe' }))
    folder.write('rest', [topicOf('orders'), subscriptionOf('billing', 'orders', url)])
    await condition(topic, 'orders', 'Drifted', 'True')
    const { message } = await condition(topic, 'orders', 'Programmed', 'False', 'Observing')
    expect(message).toContain('Not on the broker: declare exchange shop.orders')
    folder.delete('rest')
    await eventually(() => stage.get(topic, 'orders') === undefined)
    expect(await vhost.manage('GET', `/queues/${vhost.name}`)).toEqual([])
    expect(await metric('waybill_broker_changes_total')).toBe(0)
    folder.write('broker', brokerOf(vhost))
    folder.write('rest', [topicOf('orders')])
    await condition(topic, 'orders', 'Ready', 'True')
    await noCondition(topic, 'orders', 'Drifted')
  } finally {
    await stage.close()
  }
})
