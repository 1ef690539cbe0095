import { queue } from '../../../src/api/kinds/queue.ts'
import { subscription } from '../../../src/api/kinds/subscription.ts'
import { deadLetterPolicyOf, queueOf } from '../../support/manifests.ts'
import { type LettersStage, lettersStage } from './stage.ts'

/** Dead letters are looked at and grouped by their cause, in the status of their Subscription. */

let stage: LettersStage
beforeAll(async () => {
  stage = await lettersStage()
})
afterAll(() => stage.close())

test('dead letters of three causes are three groups with the right counts, and the condition says which is the largest', async () => {
  const answers = [400, 422, 503]
  await stage.subscribe('causes', { delivery: { retry: { maxAttempts: 1 } } })
  stage.subscriber.answer(({ body }) => answers[Number(body.toString()) % 3] as number)
  await stage.publish('causes', 100)
  const { groups, complete, scanned, others } = await stage.deadLetters('causes', 100)
  expect({ complete, scanned, others }).toEqual({ complete: true, scanned: 100, others: 0 })
  expect(groups!.map(({ reason, statusCode, count }) => [reason, statusCode, count])).toEqual([
    ['Rejected', 400, 34],
    expect.arrayContaining([33]),
    expect.arrayContaining([33]),
  ])
  expect(groups!.map(({ statusCode }) => statusCode).toSorted()).toEqual([400, 422, 503])
  for (const { first, last, samples } of groups!) {
    expect(Date.parse(first!)).toBeLessThanOrEqual(Date.parse(last!))
    expect(samples).toHaveLength(3)
  }
  const { message } = await stage.condition(subscription, 'causes', 'DeadLettersPresent', 'True')
  await stage.eventually(() =>
    stage.said('causes', /holds undeliverable messages: 100 in 3 groups; most: Rejected 400, 34 since 20/),
  )
  expect(message).toContain('waybill.dlq.shop.causes')
  expect(await stage.metric('waybill_dead_letters_oldest_age_seconds', { subscription: 'causes' })).toBeGreaterThan(0)
})

test('once the dead letters are gone, the status has no groups', async () => {
  await stage.deadLettered('purged', 5)
  await stage.deadLetters('purged', 5)
  await stage.producer.channel.purgeQueue('waybill.dlq.shop.purged')
  const { groups, oldest } = await stage.deadLetters('purged', 0)
  expect(groups).toEqual([])
  expect(oldest).toBeUndefined()
})

test('a Queue says what the broker dead-letters from it, as a Subscription does, until it has no policy', async () => {
  const policy = deadLetterPolicyOf('reports', { alert: { depth: 3 } })
  const work = { messageTTL: '1ms' }
  stage.folder.write('reports', [policy, queueOf('reports', { ...work, deadLetterPolicyRef: { name: 'reports' } })])
  await stage.condition(queue, 'reports', 'Ready', 'True')
  const found = () => stage.get(queue, 'reports')?.status?.deadLetters
  await stage.producer.publish(
    '',
    [1, 2, 3].map((body) => ({ routingKey: 'shop.reports', body: `${body}` })),
  )
  const { groups, complete, oldest } = await stage.eventually(
    () => found()?.count === 3 && found()?.scanned === 3 && found(),
    { timeoutMs: 40_000 },
  )
  expect({ complete, groups }).toMatchObject({ complete: true, groups: [{ reason: 'Expired', count: 3 }] })
  expect(Date.parse(oldest!)).toBeGreaterThan(Date.now() - 120_000)
  const of = { namespace: 'shop', queue: 'reports' }
  const { message } = await stage.condition(queue, 'reports', 'DeadLettersPresent', 'True')
  expect(message).toContain('waybill.dlq.Queue.shop.reports')
  expect(await stage.metric('waybill_dead_letters', of)).toBe(3)
  expect(await stage.metric('waybill_dead_letters_oldest_age_seconds', of)).toBeGreaterThan(0)

  stage.folder.write('reports', [policy, queueOf('reports', work)])
  await stage.noCondition(queue, 'reports', 'DeadLettersPresent')
  await stage.eventually(() => found() === undefined, { timeoutMs: 40_000 })
  expect(await stage.metrics.registry.metrics()).not.toMatch(/^waybill_dead_letters\w*\{[^}]*queue="reports"/m)
})
