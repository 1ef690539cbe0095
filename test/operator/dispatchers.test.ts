import { subscription } from '../../src/api/kinds/subscription.ts'
import { type Stage, startStage } from '../support/in-process.ts'
import { brokerOf, subscriptionOf, topicOf } from '../support/manifests.ts'
import { eventually } from '../support/wait.ts'

let stage: Stage
let isAbsent = false
const listeners = new Set<() => void>()
const dispatchers = {
  isAbsent: () => isAbsent,
  onChange(listener: () => void) {
    listeners.add(listener)
    return () => listeners.delete(listener)
  },
}
const setAbsent = (now: boolean): void => {
  isAbsent = now
  for (const listener of listeners) listener()
}

beforeEach(async () => {
  isAbsent = false
  stage = await startStage({ only: 'operator', dispatchers })
  stage.folder.write('all', [
    ...brokerOf(stage.vhost),
    topicOf('orders'),
    subscriptionOf('billing', 'orders', 'http://127.0.0.1:9/'),
  ])
  await stage.condition(subscription, 'billing', 'Programmed', 'True')
})
afterEach(() => stage.close())

test('a Subscription that no dispatcher takes up is said to be so after 20 s, and not before', async () => {
  const { message } = await stage.condition(subscription, 'billing', 'Delivering', 'Unknown', 'NoDispatcher')
  expect(message).toBe(
    'No dispatcher has taken up generation 1 of this resource. Look at the log of the dispatcher that leads',
  )
  const { lastTransitionTime } = await stage.condition(subscription, 'billing', 'Programmed', 'True')
  const said = await stage.condition(subscription, 'billing', 'Delivering', 'Unknown')
  expect(Date.parse(said.lastTransitionTime) - Date.parse(lastTransitionTime)).toBeGreaterThan(15_000)
})

test('once there are no dispatchers, each Subscription says so, those that come later too', async () => {
  setAbsent(true)
  await stage.condition(subscription, 'billing', 'Delivering', 'Unknown', 'NoDispatcher')
  const { message } = await stage.condition(subscription, 'billing', 'Ready', 'False', 'NotDelivering')
  expect(message).toContain('No dispatcher is running')
  stage.folder.write('later', [subscriptionOf('shipping', 'orders', 'http://127.0.0.1:9/', { suspend: true })])
  await stage.condition(subscription, 'shipping', 'Delivering', 'Unknown', 'NoDispatcher')
  await stage.condition(subscription, 'shipping', 'Ready', 'False', 'NotDelivering')
  const before = await stage.metric('waybill_status_writes_total', { manager: 'waybill-dispatcher' })
  setAbsent(true)
  await eventually(() => stage.get(subscription, 'billing')?.status?.queue !== undefined)
  expect(await stage.metric('waybill_status_writes_total', { manager: 'waybill-dispatcher' })).toBe(before)
})
