import { broker } from '../../src/api/kinds/broker.ts'
import { subscription } from '../../src/api/kinds/subscription.ts'
import { type Stage, startStage } from '../support/in-process.ts'
import { brokerOf, subscriptionOf, topicOf } from '../support/manifests.ts'
import { eventually } from '../support/wait.ts'

let stage: Stage
beforeAll(async () => {
  stage = await startStage({ only: 'operator' })
})
afterAll(() => stage.close())

test('deleting a file with all resources, including the Secret, leaves nothing on the broker', async () => {
  const { folder, vhost, condition, get } = stage
  const gone = { deletionPolicy: 'Delete' }
  const orders = subscriptionOf('billing', 'orders', 'http://127.0.0.1:9/', gone)
  folder.write('all', [...brokerOf(vhost, gone), topicOf('orders', gone), orders])
  await condition(subscription, 'billing', 'Programmed', 'True')
  folder.delete('all')
  await eventually(() => get(broker, 'rabbitmq') === undefined, { timeoutMs: 25_000 })
  expect(await vhost.manage('GET', `/queues/${vhost.name}?disable_stats=true`)).toEqual([])
})
