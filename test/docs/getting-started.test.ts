import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { promisify } from 'node:util'
import { waybill as run } from '../cli/waybill.ts'
import { folder } from '../store/manifests.ts'
import { freshVhost, type Vhost } from '../support/vhost.ts'
import { eventually } from '../support/wait.ts'
import { runWaybill, type Waybill } from '../support/waybill.ts'
import { type Block, blocksOf, textOf } from './pages.ts'
import { type Command, commandsOf } from './shell.ts'

const manifest = 'examples/first-subscription.yaml'

const page = textOf('docs/getting-started.md')
const blocks = blocksOf(page.slice(page.indexOf('## On a laptop'), page.indexOf('## On Kubernetes')))

/** The block that holds this text, and the one after it, which shows what it prints. */
const documented = (holds: string): { readonly text: string; readonly shows: string } => {
  const at = blocks.findIndex(({ language, text }) => language === 'sh' && text.includes(holds))
  const { text } = blocks[at] as Block
  return { text, shows: blocks[at + 1]?.text ?? '' }
}

/** The words of the one command of a block, after those that start Waybill in a clone. */
const argumentsIn = (text: string): Command => {
  const [command = []] = commandsOf(text)
  expect(command.slice(0, 4)).toEqual(['npm', 'run', '--silent', 'waybill'])
  return command.slice(5)
}

const open: (() => unknown)[] = []
afterAll(async () => {
  for (const close of open.splice(0).reverse()) await close()
})

let vhost: Vhost
let waybill: Waybill
let subscriber: { readonly url: string; printed(): string }
/** The manifest of the page, with the addresses and the virtual host of this test. */
let path: string

/** The subscriber as the page starts it, on a free port. */
const startSubscriber = async (): Promise<typeof subscriber> => {
  const [[program, file = ''] = []] = commandsOf(documented('subscriber.mjs').text)
  expect(program).toBe('node')
  const child: ChildProcess = spawn(process.execPath, [file, '0'], { stdio: ['ignore', 'pipe', 'inherit'] })
  open.push(async () => {
    child.kill()
    if (child.exitCode === null && child.signalCode === null) await once(child, 'close')
  })
  let out = ''
  child.stdout?.setEncoding('utf8').on('data', (chunk: string) => {
    out += chunk
  })
  const url = await eventually(() => /http:\S+/.exec(out)?.[0])
  return { url, printed: () => out }
}

/** Replaces each text, which must be there. */
const replaced = (text: string, replacements: Readonly<Record<string, string>>): string =>
  Object.entries(replacements).reduce((result, [from, to]) => {
    expect(result).toContain(from)
    return result.replaceAll(from, to)
  }, text)

beforeAll(async () => {
  vhost = await freshVhost()
  open.push(() => vhost.drop())
  subscriber = await startSubscriber()
  const made = folder()
  open.push(() => made.close())
  const text = replaced(await readFile(manifest, 'utf8'), {
    'amqp://guest:guest@127.0.0.1:5672': vhost.secret.connection_string,
    'http://127.0.0.1:15672': vhost.managementUrl,
    'http://127.0.0.1:8080': subscriber.url,
    '  connection:': `  vhost: ${vhost.name}\n  connection:`,
  })
  path = await made.write('first-subscription.yaml', text)
})

test('lint prints what the page shows', async () => {
  const { text, shows } = documented('-- lint')
  const args = argumentsIn(text).map((word) => (word === manifest ? path : word))
  expect(await run(...args)).toEqual({ code: 0, out: shows, err: '' })
})

test('run makes every resource ready, and get prints the tables that the page shows', async () => {
  expect(argumentsIn(documented('-- run').text)).toEqual(['run', '-f', manifest])
  waybill = await runWaybill(path)
  open.push(() => waybill.stop())
  const { text, shows } = documented('-- get')
  const shape = (tables: string): string => tables.replaceAll(/\d+(\.\d+\.\d+|s)\b/g, '…').replaceAll(/ +/g, ' ')
  await eventually(async () => {
    const { out } = await run(...argumentsIn(text), '--server', waybill.server)
    return shape(out) === shape(shows)
  })
})

test('the event that curl publishes reaches the subscriber as the page shows', async () => {
  const { text } = documented('curl')
  const { username, password } = vhost.endpoint
  const command = replaced(text, {
    'guest:guest': `${username}:${password}`,
    'http://127.0.0.1:15672': vhost.managementUrl,
    '%2F': encodeURIComponent(vhost.name),
  })
  const { stdout } = await promisify(execFile)('sh', ['-c', command])
  expect(JSON.parse(stdout)).toEqual({ routed: true })
  expect(page).toContain(stdout.trim())

  const shown = blocks.find((block) => block.text.startsWith('POST /orders'))?.text ?? ''
  const lines = shown.split('\n').filter((line) => line !== '' && line !== '…')
  await eventually(() => lines.every((line) => subscriber.printed().includes(line.replace(' …', ' '))))
})

test('get shows the conditions of one Subscription', async () => {
  const { text } = documented('-- get subscription')
  const { code, out } = await run(...argumentsIn(text), '--server', waybill.server)
  expect(code).toBe(0)
  expect(out).toContain('  name: mailing\n')
  expect(out).toContain('message: Declared on the broker and delivering\n')
})
