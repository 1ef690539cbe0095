import { type Browser, browserAt } from '../console/browser.ts'
import { eventually } from '../support/wait.ts'
import { type LetterShop, openLetterShop, sequence } from './letter-shop.ts'

/** The console of a running `waybill run`, as somebody uses it whose browser runs no scripts: links and forms alone. */

const canary = 'canary-9b2e'
let it: LetterShop
let browser: Browser
beforeAll(async () => {
  it = await openLetterShop()
  browser = browserAt(it.data)
  await it.shop.producer.publish('shop.orders', [
    {
      routingKey: 'order.placed',
      body: JSON.stringify({ text: `<script>alert(1)</script>${canary}-body`, long: 'ü'.repeat(500_000) }),
      options: { headers: { authorization: `Bearer ${canary}-header`, 'x-note': '</title><script>\r\n\u202e' } },
    },
  ])
  await eventually(async () => (await it.ready()) === 1)
  await it.dead(sequence(0, 12))
  await eventually(async () => (await it.ready()) === 13)
})
afterAll(() => it[Symbol.asyncDispose]())

const home = '/console/subscriptions/shop/billing'

test('the address that is printed logs in, once', async () => {
  const [, address = ''] = /"console":"([^"]+)"/.exec(it.waybill.logs()) ?? []
  expect(await browser.open(address.replace(it.data, ''))).toMatch(/<h1>Overview<\/h1>/)
  expect(await browser.open('/console')).toContain('billing')
  expect(await browserAt(it.data).open(address.replace(it.data, ''))).toContain('This address was used before')
})

test('the token of the file logs in too, and the token of nobody does not', async () => {
  const other = browserAt(it.data)
  await other.open('/console/jobs')
  expect(await other.send('Log in', { token: 'x' })).toContain('This token is not valid')
  expect(await other.send('Log in', { token: it.token })).toMatch(/<h1>Replays and Discards<\/h1>/)
})

test('a letter is seen without its body and secrets, which take a button each; nothing in it becomes markup', async () => {
  const page = await browser.open(`${home}/deadletters`)
  expect(page).toContain('1 to 13 of')
  const ids = [...page.matchAll(/name="pick" value="([^"]+)"/g)].map(([, id]) => id)
  const letter = await browser.open(`${home}/deadletters/${ids[0]}`)
  expect(letter).not.toMatch(new RegExp(`${canary}|<script>`))
  expect(letter).toContain('&lt;/title&gt;&lt;script&gt;\\u{d}\\u{a}\\u{202e}')
  const body = await browser.send('Show ', {})
  expect(body).toContain(`&lt;script&gt;alert(1)&lt;/script&gt;${canary}-body`)
  expect(body.length).toBeLessThan(30_000)
  await browser.open(`${home}/deadletters/${ids[0]}`)
  expect(await browser.send('Reveal ', {})).toContain(`Bearer ${canary}-header`)
})

test('from the group to all delivered: count, confirm, watch', async () => {
  await eventually(async () => (await browser.open(home)).includes('Replay group'))
  it.subscriber.answer(204)
  const before = it.subscriber.received.length
  await browser.send('Replay group', {})
  await browser.until(/Replay 13</)
  expect(browser.page()).toContain('13 dead letters would be sent to the subscriber once more')
  expect(it.subscriber.received).toHaveLength(before)
  await browser.send('Replay 13', { canary: '2', rate: '100' })
  expect(browser.page()).toContain('http-equiv="refresh"')
  await browser.until(/13 dead letters delivered/)
  expect(browser.page()).not.toContain('http-equiv="refresh"')
  const delivered = it.subscriber.received.slice(before).map(({ headers }) => headers['webhook-id'])
  expect(new Set(delivered).size).toBe(13)
  await eventually(async () => (await it.ready()) === 0)
})

test('what is selected is discarded, and can be restored; a job can be suspended, resumed and cancelled', async () => {
  it.subscriber.answer(400)
  await it.shop.publish(sequence(20, 23))
  await eventually(async () => (await it.ready()) === 3)
  const page = await browser.open(`${home}/deadletters`)
  const [, first = ''] = /name="pick" value="([^"]+)"/.exec(page) ?? []
  await browser.send('Discard selected', { pick: first })
  await browser.until(/Discard 1</)
  await browser.send('Discard 1', { why: 'of a test' })
  await browser.until(/1 dead letter discarded/)
  await eventually(async () => (await it.ready()) === 2)
  await browser.open(home)
  await browser.send('Restore ', {})
  await browser.until(/Restore 1</)
  await browser.send('Restore 1', {})
  await browser.until(/1 dead letter restored/)
  await eventually(async () => (await it.ready()) === 3)

  it.subscriber.answer('hang')
  await browser.open(`${home}/deadletters`)
  await browser.send('Replay all matching', {})
  await browser.until(/Replay 3</)
  await browser.send('Replay 3', { canary: '0' })
  await browser.until(/Suspend</)
  expect(await browser.send('Suspend', {})).toMatch(/Suspended/)
  expect(await browser.send('Resume', {})).toMatch(/>Suspend</)
  it.subscriber.answer(400)
  expect(await browser.send('Cancel', {})).toMatch(/<h1><bdi>billing<\/bdi>/)
})

test('the data port under another name, a page of another site, and a link do nothing', async () => {
  const to = `${it.data}${home}/check`
  const body = new URLSearchParams({ do: 'discard' })
  for (const [headers, code] of [
    [{ 'sec-fetch-site': 'cross-site' }, 403],
    [{}, 403],
    [{ 'sec-fetch-site': 'same-origin' }, 401],
  ] as const) {
    expect((await fetch(to, { method: 'POST', body, headers })).status).toBe(code)
  }
  expect((await fetch(to)).status).toBe(405)
})

test('no token, header or body is in the log', () => {
  const logs = it.waybill.logs()
  expect(logs).not.toContain(canary)
  expect(logs).not.toContain(it.token)
})
