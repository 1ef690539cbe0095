import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Browser, chromium } from 'playwright-core'
import { canInstall, install } from './apt.ts'

const places = ['/usr/bin/chromium', '/usr/bin/google-chrome']

/** Without a sandbox, as root needs it; it asks for nothing on its own, and reaches this machine alone. */
const args = [
  ...['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking'],
  ...['--disable-component-update', '--disable-sync', '--disable-dev-shm-usage'],
  '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost',
]

/** A headless browser with a new, empty profile; Debian's chromium is installed where there is none. */
export const startChromium = async (): Promise<Browser> => {
  const executablePath = await foundChromium()
  const home = mkdtempSync(join(tmpdir(), 'waybill-chromium-'))
  const browser = await chromium.launch({ executablePath, args, env: { ...process.env, HOME: home } })
  browser.once('disconnected', () => rmSync(home, { recursive: true, force: true }))
  return browser
}

const foundChromium = async (): Promise<string> => {
  const found = places.find((place) => existsSync(place))
  if (found !== undefined) return found
  if (!canInstall()) {
    throw new Error(`The console is tested in a browser, and there is none: install chromium (${places.join(' or ')})`)
  }
  process.stderr.write('Installing chromium with apt-get (about a minute)…\n')
  await install('chromium')
  return places[0] ?? ''
}
