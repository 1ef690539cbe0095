import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Page } from 'playwright-core'
import { discard } from '../../src/api/kinds/discard.ts'
import { replay } from '../../src/api/kinds/replay.ts'
import type { Listed } from '../../src/dispatcher/data/dead-letters.ts'
import { eventually } from '../support/wait.ts'
import { looksOf } from './looks.ts'
import { type ConsoleShop, openConsoleShop } from './visit.ts'

const secret = 'canary-4d1e'
const evil = `</title></textarea><script>document.title='owned'</script><img src=x onerror="document.title='owned'">\u202Egnp.exe`
const base = '/console/subscriptions/shop/billing'
const mostOfPage = 30_720
let shop: ConsoleShop
/** Pages of the letter, and of all else. */
let pages: string[] = []

beforeAll(async () => {
  shop = await openConsoleShop()
  const { it } = shop
  it.subscriber.answer({ status: 400, body: evil, headers: { 'content-type': 'text/plain' } })
  const text = JSON.stringify({ note: `${secret}-body ${evil}`, long: 'x'.repeat(2 ** 20) })
  const options = {
    type: evil.slice(0, 200),
    headers: { authorization: `Bearer ${secret}-header`, [evil.slice(0, 60)]: `a\r\nset-cookie: b=c\r\n${evil}` },
  }
  await it.shop.producer.publish('shop.orders', [
    { routingKey: `order.<b>.${'y'.repeat(150)}`, body: text, options },
    ...Array.from({ length: 44 }, (_, at) => ({ routingKey: 'order.placed', body: `{"seq":${at}}`, options })),
  ])
  await eventually(async () => (await it.ready()) === 45, { timeoutMs: 60_000 })
  const { letters } = (await (await it.ask('')).json()) as Listed
  const { id = '' } = letters.find(({ size }) => size > 2 ** 20) ?? {}
  pages = [`${base}/deadletters/${id}`, '', base, `${base}/deadletters`, '/console/jobs', '/console/unrouted']
  pages = pages.map((path) => (path === '' ? '/console' : path)).concat('/console/permissions')
})
afterAll(() => shop?.[Symbol.asyncDispose]())

const unharmed = async (page: Page): Promise<void> => {
  expect(await page.title()).not.toBe('owned')
  expect(page.url()).not.toContain(secret)
}

test('nothing of a message runs, and its secrets are on no page, in no log, metric or resource until somebody asks', async () => {
  const { page, complaints } = await shop.open({ script: true })
  for (const path of pages) {
    const answer = await page.goto(shop.origin + path)
    const html = (await answer?.text()) ?? ''
    expect([path, answer?.status(), html.includes(secret), Buffer.byteLength(html) < mostOfPage]).toEqual([
      path,
      200,
      false,
      true,
    ])
    expect(html).not.toMatch(/\u202E|<img src=x/)
    await unharmed(page)
  }
  await page.goto(`${shop.origin}${pages[0]}`)
  await page.getByRole('button', { name: 'Reveal masked values' }).click()
  await page.getByText(`Bearer ${secret}-header`).waitFor()
  await unharmed(page)
  await page.getByRole('button', { name: /^Show .* bytes$/ }).click()
  await page.getByText(`${secret}-body`).waitFor()
  await unharmed(page)
  expect((await page.content()).length).toBeLessThan(mostOfPage)
  const download = page.waitForEvent('download')
  await page.getByRole('button', { name: 'Download' }).click()
  expect((await download).suggestedFilename()).toMatch(/^\w+\.bin$/)
  expect(complaints).toEqual([])

  const { waybill } = shop.it
  const metrics = await (await fetch(`${waybill.server}/metrics`)).text()
  const resources = JSON.stringify([await waybill.list(replay), await (await shop.it.ask('/../history')).json()])
  for (const text of [waybill.logs(), metrics, resources]) expect(text).not.toContain(secret)
})

test('what other pages send, and what is no form, is refused and does nothing', async () => {
  const { page, context } = await shop.open({ script: true })
  const cookie = (await context.cookies()).map(({ name, value }) => `${name}=${value}`).join('; ')
  const form = (await page.locator('input[name=form]').first().getAttribute('value')) ?? ''
  const to = `${shop.origin}${base}/check`
  const body = new URLSearchParams({ form, do: 'replay' }).toString()
  const type = 'application/x-www-form-urlencoded'
  const { origin } = shop
  const send = async (headers: Record<string, string>, method = 'POST') => {
    const sent = { method, headers: { cookie, ...headers }, redirect: 'manual' as const }
    return (await fetch(to, method === 'POST' ? { ...sent, body } : sent)).status
  }
  expect(await send({ 'content-type': type })).toBe(403)
  expect(await send({ 'content-type': type, origin: 'https://elsewhere.example' })).toBe(403)
  expect(await send({ 'content-type': type, origin, 'sec-fetch-site': 'cross-site' })).toBe(403)
  expect(await send({ 'content-type': 'text/plain', origin })).toBe(415)
  expect(await send({ 'content-type': 'application/json', origin })).toBe(415)
  expect(await send({}, 'GET')).toBe(405)

  const elsewhere = createServer((_, response) => {
    response.setHeader('content-type', 'text/html')
    response.end(`<iframe src="${origin}/console"></iframe><form method="post" action="${to}"><input name="form" value="${form}">
<input name="do" value="replay"><button>Win</button></form>`)
  })
  await new Promise<void>((resolve) => elsewhere.listen(0, '127.0.0.1', resolve))
  await page.goto(`http://localhost:${(elsewhere.address() as AddressInfo).port}/`)
  const [frame] = page.frames().slice(1)
  expect([await frame?.getByText('Waybill').count(), frame?.url()]).toEqual([0, 'chrome-error://chromewebdata/'])
  const answered = page.waitForResponse((response) => response.request().method() === 'POST')
  await page.getByRole('button', { name: 'Win' }).click()
  expect((await answered).status()).toBe(403)
  elsewhere.closeAllConnections()
  elsewhere.close()
  expect([await shop.it.waybill.list(replay), await shop.it.waybill.list(discard)]).toEqual([[], []])
})

test('all pages can be read: enough contrast in light and dark, a name for each control, no page wider than a telephone', async () => {
  const { page } = await shop.open({ width: 360 })
  for (const path of pages) {
    await page.goto(shop.origin + path)
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme })
      expect({ path, colorScheme, ...(await looksOf(page)) }).toEqual({
        ...{ path, colorScheme, faint: [], unnamed: [], excess: 0 },
      })
    }
  }
})
