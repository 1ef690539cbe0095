import { unresolvedReports } from '../../src/operator/references/report.ts'
import { unreachableReports } from '../../src/operator/topology/unreachable.ts'
import { BrokerError } from '../../src/rabbit/broker-error.ts'
import { noOwners } from '../../src/topology/owners.ts'
import { resolveReferences } from '../../src/topology/references.ts'
import { brokerOf, resourcesOf, subscriptionOf, topicOf } from '../topology/resources.ts'

const stamped = { lastTransitionTime: '2026-01-01T00:00:00Z', observedGeneration: 1 }
const message = 'waybill.dlq.shop.billing holds undeliverable messages'
const present = { type: 'DeadLettersPresent', status: 'True', reason: 'DeadLetters', message, ...stamped } as const
const billing = { ...subscriptionOf('billing'), status: { deadLetters: { count: 3 }, conditions: [present] } }

test('dead letters stay reported while the broker is unreachable', () => {
  const resources = resourcesOf(brokerOf('rabbitmq'), topicOf('orders'), billing, subscriptionOf('mailing'))
  const attached = resolveReferences(resources).attached.get('shop/rabbitmq')!
  const reports = unreachableReports(attached, 'waybill', new BrokerError('unreachable', 'It is away'), noOwners) ?? []
  const about = (name: string) => reports.find(({ resource }) => resource.metadata.name === name)
  expect(about('billing')?.verdicts).toContainEqual(expect.objectContaining({ type: 'DeadLettersPresent', message }))
  expect(about('billing')?.fields).toEqual({ deadLetters: { count: 3 } })
  expect(about('mailing')?.verdicts.map(({ type }) => type)).not.toContain('DeadLettersPresent')
})

test('dead letters stay reported while a reference leads to nothing', () => {
  const { unresolved } = resolveReferences(resourcesOf(brokerOf('rabbitmq'), billing))
  const [report] = unresolvedReports(unresolved)
  expect(report?.verdicts).toContainEqual(expect.objectContaining({ type: 'DeadLettersPresent', message }))
  expect(report?.fields).toEqual({ deadLetters: { count: 3 } })
})
