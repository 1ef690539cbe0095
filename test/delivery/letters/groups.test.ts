import { Groups } from '../../../src/delivery/letters/groups.ts'
import { letterOf } from '../../../src/delivery/letters/letter.ts'
import { eventHeaders, messageOf } from '../samples.ts'

const letterWith = (headers: Record<string, unknown>) =>
  letterOf(
    messageOf({ headers: { ...eventHeaders('cloudEvents:'), ...headers } }, 'x', { exchange: '' }),
    'shop/billing',
  )

const failed = (status: number, at: string, id = `${status} ${at}`, headers = {}) =>
  letterWith({
    'cloudEvents:id': id,
    'waybill-reason': 'Exhausted',
    'waybill-status': status,
    'waybill-error': `The subscriber answered ${status}; given up after 3 attempts`,
    'waybill-dead-lettered': at,
    ...headers,
  })

test('dead letters of one cause are one group, the largest first, with first, last, types and samples', () => {
  const groups = new Groups()
  groups.add(failed(500, '2026-01-01T10:00:00Z'))
  for (const minute of [30, 10, 20, 40])
    groups.add(failed(503, `2026-01-01T10:${minute}:00Z`, `m${minute}`, { 'waybill-replays': minute === 10 ? 1 : 0 }))
  const [first, second] = groups.largest()
  expect(first).toMatchObject({ statusCode: 503, count: 4, replayed: 1, reason: 'Exhausted' })
  expect(first?.first).toBe(Date.parse('2026-01-01T10:10:00Z'))
  expect(first?.last).toBe(Date.parse('2026-01-01T10:40:00Z'))
  expect([...(first?.types ?? [])]).toEqual([['order.placed', 4]])
  expect(first?.samples).toHaveLength(3)
  expect(second).toMatchObject({ statusCode: 500, count: 1 })
  expect([groups.count, groups.others, groups.oldest]).toEqual([5, 0, Date.parse('2026-01-01T10:00:00Z')])
})

test('causes beyond a thousand are only counted', () => {
  const groups = new Groups()
  const word = (each: number) => each.toString(26).replace(/\d/g, (digit) => 'QRSTUVWXYZ'[Number(digit)] as string)
  for (let each = 0; each < 1_500; each++) groups.add(letterWith({ 'waybill-error': `Cause ${word(each)}` }))
  expect(groups.largest()).toHaveLength(1_000)
  expect([groups.count, groups.others]).toEqual([1_500, 500])
})
