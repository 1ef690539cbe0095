/**
 * npm run screenshots: makes docs/images/, a picture of each page of the console in a shop where something went wrong, in light and
 * dark, and one on a telephone. The shop is that of the demonstration, and its hour passes in two minutes.
 */
import { mkdirSync, mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Page } from 'playwright-core'
import { findBroker } from '../support/broker.ts'
import { startChromium } from '../support/chromium.ts'
import { eventually } from '../support/wait.ts'
import { openBusyShop } from './busy-shop.ts'

const folder = new URL('../../docs/images/', import.meta.url).pathname
const mostBytes = 150_000
const mostHeight = 820
const log = (line: string): void => void process.stdout.write(`${line}\n`)

const picture = async (page: Page, name: string): Promise<void> => {
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' })
    const path = join(folder, `${name}-${colorScheme}.png`)
    const height = Math.min(mostHeight, Number(await page.evaluate('document.body.offsetHeight')))
    await page.screenshot({ path, clip: { x: 0, y: 0, width: page.viewportSize()?.width ?? 0, height } })
    const { size } = statSync(path)
    log(`${path} ${Math.round(size / 1024)} kB`)
    if (size > mostBytes) throw new Error(`${path} is too large`)
  }
}

await using closing = new AsyncDisposableStack()
const broker = await findBroker({ log })
closing.defer(broker.stop)
process.env.RABBITMQ_URL = broker.amqpUrl
process.env.RABBITMQ_MANAGEMENT_URL = broker.managementUrl
const state = closing.adopt(mkdtempSync(join(tmpdir(), 'waybill-screenshots-')), (path) =>
  rmSync(path, { recursive: true }),
)
const { origin, login, anHour, keepBusy } = await openBusyShop(closing, state)
log('An hour in the shop, in two minutes…')
await anHour()
closing.defer(keepBusy())

mkdirSync(folder, { recursive: true })
const browser = closing.adopt(await startChromium(), (started) => started.close())
const page = await browser.newPage({ viewport: { width: 1_180, height: 1_000 }, javaScriptEnabled: false })
await page.goto(`${origin}/console`)
await picture(page, 'login')
await page.goto(login)
await picture(page, 'overview')
const count = async (name: string): Promise<void> => {
  await page.goto(`${origin}/console/subscriptions/shop/${name}`)
  await page
    .getByRole('button', { name: /^Replay group/ })
    .first()
    .click()
  await page.getByRole('button', { name: /^Replay \d+$/ }).waitFor()
}
await count('billing')
await picture(page, 'count')
await page.getByLabel('Per second at most').fill('6')
await page.getByRole('button', { name: /^Replay \d+$/ }).click()
const delivered = async (): Promise<number> => Number(await page.locator('dl.lead dd').nth(2).innerText())
await eventually(async () => (await delivered()) > 20, { timeoutMs: 30_000 })
await picture(page, 'replay')
await page.getByText('Complete', { exact: true }).waitFor({ timeout: 60_000 })
await page.goto(`${origin}/console/subscriptions/shop/mailing`)
await picture(page, 'subscription')
await page.goto(`${origin}/console/subscriptions/shop/mailing/deadletters`)
await picture(page, 'letters')
await page.locator('tr', { hasText: 'Exhausted' }).locator('a.id').first().click()
await page.getByRole('button', { name: /^Show/ }).click()
await page.locator('pre').waitFor()
await picture(page, 'letter')
for (const name of ['jobs', 'unrouted', 'permissions']) {
  await page.goto(`${origin}/console/${name}`)
  await picture(page, name)
}
await page.setViewportSize({ width: 390, height: 1_000 })
await page.goto(`${origin}/console`)
await picture(page, 'overview-narrow')
