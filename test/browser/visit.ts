import type { BrowserContext, Page } from 'playwright-core'
import { type LetterShop, openLetterShop } from '../letters/letter-shop.ts'
import { startChromium } from '../support/chromium.ts'
import { eventually } from '../support/wait.ts'

/** A console with a browser in front of it. */
export type ConsoleShop = {
  readonly it: LetterShop
  /** Of the console, without its path. */
  readonly origin: string
  /** A page on which somebody is logged in; `script` says whether the browser runs scripts. */
  open(options?: { readonly script?: boolean; readonly width?: number }): Promise<Visit>
  [Symbol.asyncDispose](): Promise<void>
}

export type Visit = {
  readonly page: Page
  readonly context: BrowserContext
  /** What the browser complained of: errors of scripts, dialogs, and what the policy of the pages refused. */
  readonly complaints: readonly string[]
}

export const openConsoleShop = async (): Promise<ConsoleShop> => {
  const cleanUp = new AsyncDisposableStack()
  const it = cleanUp.use(await openLetterShop())
  const browser = cleanUp.adopt(await startChromium(), (started) => started.close())
  const once = await eventually(() => /"console":"(http:[^"]+)"/.exec(it.waybill.logs())?.[1])
  const { origin } = new URL(once)
  let state: Awaited<ReturnType<BrowserContext['storageState']>> | undefined
  return {
    it,
    origin,
    async open({ script = false, width = 1_200 } = {}) {
      const viewport = { width, height: 800 }
      const options = { javaScriptEnabled: script, viewport, reducedMotion: 'reduce' as const }
      const context = await browser.newContext({ ...options, ...(state ? { storageState: state } : {}) })
      const page = await context.newPage()
      const complaints: string[] = []
      page.on('pageerror', (error) => complaints.push(String(error)))
      page.on('dialog', (dialog) => {
        complaints.push(`dialog ${dialog.message()}`)
        void dialog.dismiss()
      })
      page.on('console', (message) => complaints.push(message.text()))
      await page.goto(state ? `${origin}/console` : once)
      state ??= await context.storageState()
      return { page, context, complaints }
    },
    [Symbol.asyncDispose]: () => cleanUp.disposeAsync(),
  }
}

const focused = `(() => {
  const at = document.activeElement
  if (!at || at === document.body) return ''
  const label = at.labels && at.labels[0] && at.labels[0].textContent
  return (at.getAttribute('aria-label') || label || at.textContent || '').trim()
})()`

/** Presses Tab until the focus is on what is called so. */
export const tabTo = async (page: Page, name: string | RegExp): Promise<void> => {
  const seen: string[] = []
  for (let presses = 0; presses < 150; presses += 1) {
    await page.keyboard.press('Tab')
    const at = String(await page.evaluate(focused))
    if (typeof name === 'string' ? at === name : name.test(at)) return
    seen.push(at)
  }
  throw new Error(`Tab never came to ${name}, but to ${[...new Set(seen)].join(' | ')}`)
}

/** Goes to what is called so by keyboard alone, and presses Enter. */
export const enter = async (page: Page, name: string | RegExp): Promise<void> => {
  await tabTo(page, name)
  await page.keyboard.press('Enter')
}
