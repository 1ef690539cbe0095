import { replay } from '../../src/api/kinds/replay.ts'
import { subscription } from '../../src/api/kinds/subscription.ts'
import { sequence } from '../letters/letter-shop.ts'
import { eventually } from '../support/wait.ts'
import { type ConsoleShop, enter, openConsoleShop, tabTo } from './visit.ts'

let shop: ConsoleShop
beforeAll(async () => {
  shop = await openConsoleShop()
})
afterAll(() => shop?.[Symbol.asyncDispose]())

const grouped = (): Promise<unknown> =>
  eventually(async () => (await shop.it.waybill.get(subscription, 'billing'))?.status?.deadLetters?.groups?.[0], {
    timeoutMs: 30_000,
  })
const idsFrom = (at: number): string[] =>
  shop.it.subscriber.received.slice(at).map(({ headers }) => String(headers['webhook-id']))

test('with the keyboard alone and no script: from the group of failures to each delivered once', async () => {
  const { it } = shop
  await it.dead(sequence(0, 24))
  await grouped()
  const ids = new Set(idsFrom(0))
  it.subscriber.answer(204)
  const begun = it.subscriber.received.length
  const { page, complaints } = await shop.open()
  await enter(page, 'billing')
  await page.waitForURL('**/subscriptions/shop/billing')
  await enter(page, /^Replay group \w+( …)?$/)
  await page.getByRole('button', { name: 'Replay 24', exact: true }).waitFor()
  expect(await it.ready()).toBe(24)
  expect(it.subscriber.received.length).toBe(begun)
  await enter(page, 'Replay 24')
  await page.getByText('Complete', { exact: true }).waitFor()

  const figures = await page.locator('dl.lead').innerText()
  expect(figures.split('\n')).toEqual([
    ...['State', 'Complete', 'Matched', '24', 'Delivered', '24'],
    ...['Failed again', '0', 'Left', '0'],
  ])
  expect(await it.ready()).toBe(0)
  const sent = idsFrom(begun)
  expect([sent.length, new Set(sent)]).toEqual([24, ids])
  expect(complaints).toEqual([])
})

test('with script, progress is shown without loading the page anew', async () => {
  const { it } = shop
  it.subscriber.answer(400)
  await it.shop.publish(sequence(100, 108))
  await eventually(async () => (await it.ready()) === 8)
  it.subscriber.answer(204)
  const { page, complaints } = await shop.open({ script: true })
  await page.goto(`${shop.origin}/console/subscriptions/shop/billing/deadletters`)
  await enter(page, 'Replay all matching …')
  await page.getByRole('button', { name: 'Replay 8', exact: true }).waitFor()
  await tabTo(page, 'Per second at most')
  await page.keyboard.type('2')
  await enter(page, 'Replay 8')
  await page.getByText('Delivered', { exact: true }).waitFor()
  let loads = 0
  page.on('load', () => {
    loads += 1
  })
  const seen = new Set<string>()
  await eventually(
    async () => {
      const [state = '', , delivered = ''] = await page.locator('dl.lead dd').allInnerTexts()
      seen.add(delivered)
      return state === 'Complete'
    },
    { timeoutMs: 30_000 },
  )
  expect([loads, seen.size > 2, [...seen].at(-1)]).toEqual([0, true, '8'])
  expect((await it.waybill.list(replay)).filter(({ spec }) => !spec.dryRun)).toHaveLength(2)
  expect(complaints).toEqual([])
})
