import { subscription } from '../../src/api/kinds/subscription.ts'
import { type Stage, startStage } from '../support/in-process.ts'
import { brokerOf, subscriptionOf, topicOf } from '../support/manifests.ts'
import { eventually } from '../support/wait.ts'

/** A policy that closes queues for their deletion, left behind by a Broker that went while RabbitMQ was away. */

let stage: Stage
beforeAll(async () => {
  stage = await startStage({ only: 'operator' })
  stage.folder.write('all', [
    ...brokerOf(stage.vhost),
    topicOf('orders'),
    subscriptionOf('billing', 'orders', 'http://127.0.0.1:9/'),
  ])
  await stage.condition(subscription, 'billing', 'Programmed', 'True')
})
afterAll(() => stage.close())

const seal = (name: string) =>
  stage.vhost.manage('PUT', `/policies/${stage.vhost.name}/${encodeURIComponent(name)}`, {
    pattern: '^waybill\\.sub\\.shop\\.billing$',
    'apply-to': 'queues',
    priority: 1000,
    definition: { 'max-length': 0, overflow: 'reject-publish' },
  })
const policies = async () =>
  ((await stage.vhost.manage('GET', `/policies/${stage.vhost.name}`)) as { name: string }[]).map(({ name }) => name)

test.each(['seal', 'fence'])(
  'a %s of another Broker of this installation is lifted from a queue that is wanted',
  async (part) => {
    const name = `waybill:Broker/shop/old#${part}:waybill.sub.shop.billing`
    await seal(name)
    await eventually(async () => !(await policies()).includes(name))
    await stage.noCondition(subscription, 'billing', 'PolicyShadowed')
  },
)

test('a seal of another installation is shown', async () => {
  const name = 'other:Broker/shop/old#seal:waybill.sub.shop.billing'
  await seal(name)
  const { message } = await stage.condition(subscription, 'billing', 'PolicyShadowed', 'True')
  expect(message).toContain(`policy ${name} closes queue waybill.sub.shop.billing`)
  expect(await policies()).toContain(name)
})
