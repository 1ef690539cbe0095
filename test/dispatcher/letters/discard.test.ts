import { discard } from '../../../src/api/kinds/discard.ts'
import { replay } from '../../../src/api/kinds/replay.ts'
import { deadLetterPolicyOf, jobOf } from '../../support/manifests.ts'
import { type LettersStage, lettersStage } from './stage.ts'

/** A Discard moves dead letters to a bin, from which they can be restored. */

let stage: LettersStage
beforeAll(async () => {
  stage = await lettersStage()
})
afterEach(() => stage.folder.write('job', []))
afterAll(() => stage.close())

const look = async (queue: string) => {
  const found = await stage.producer.look(queue)
  await stage.producer.channel.nackAll(true)
  return found.map(({ content, properties: { headers, ...properties } }) => ({
    ...{ body: content.toString(), properties },
    headers: Object.fromEntries(Object.entries(headers ?? {}).filter(([name]) => !name.startsWith('x-'))),
  }))
}
const sorted = (letters: Awaited<ReturnType<typeof look>>) =>
  letters.toSorted((a, b) => Number(a.body) - Number(b.body))

test('what is discarded is in the bin with who, when and why, and is restored as it was', async () => {
  await stage.deadLettered('unwanted', 20)
  const dlq = 'waybill.dlq.shop.unwanted'
  const before = sorted(await look(dlq))
  stage.folder.write('job', [jobOf('Discard', 'unwanted', { reason: 'Orders of a test', requestedBy: 'alice' })])
  const { message } = await stage.condition(discard, 'unwanted', 'Complete', 'True', 'Completed')
  expect(message).toBe('20 dead letters discarded')
  await stage.holds('unwanted', 0)
  expect(stage.ids()).toEqual([])
  const binned = await look('waybill.discarded')
  expect(binned).toHaveLength(20)
  for (const { headers, properties } of binned) {
    expect(headers).toMatchObject({
      'waybill-discarded-by': 'Discard/shop/unwanted for alice',
      'waybill-discarded-reason': 'Orders of a test',
      'waybill-discarded-from': dlq,
      'waybill-reason': 'Rejected',
    })
    expect(properties.expiration).toBe(String(7 * 24 * 3_600_000))
  }
  stage.folder.write('job', [jobOf('Replay', 'unwanted', { to: 'DeadLetters' })])
  await stage.condition(replay, 'unwanted', 'Complete', 'True', 'Completed')
  expect(sorted(await look(dlq))).toEqual(before)
})

test('how long it is kept is said by the policy; for no time, it is gone at once', async () => {
  for (const [name, discarded] of [
    ['hour', '1h'],
    ['never', '0s'],
  ] as const) {
    stage.folder.write('policy', [deadLetterPolicyOf('kept', { default: true, retention: { discarded } })])
    await stage.deadLettered(name, 2)
    stage.folder.write('job', [jobOf('Discard', name, { reason: 'Not needed' })])
    await stage.condition(discard, name, 'Complete', 'True', 'Completed')
    await stage.holds(name, 0)
  }
  stage.folder.write('policy', [])
  const left = (await look('waybill.discarded')).filter(({ headers }) =>
    ['waybill.dlq.shop.hour', 'waybill.dlq.shop.never'].includes(String(headers['waybill-discarded-from'])),
  )
  expect(left.map(({ properties }) => properties.expiration)).toEqual(['3600000', '3600000'])
})

test('one Subscription does not restore what was discarded of another', async () => {
  await stage.deadLettered('mine', 3)
  await stage.deadLettered('yours', 3)
  stage.folder.write('job', [jobOf('Discard', 'yours', { reason: 'Not needed' })])
  await stage.condition(discard, 'yours', 'Complete', 'True', 'Completed')
  stage.folder.write('job', [jobOf('Replay', 'mine', { to: 'DeadLetters' })])
  await stage.condition(replay, 'mine', 'Complete', 'True', 'NothingMatched')
  await stage.holds('mine', 3)
})
