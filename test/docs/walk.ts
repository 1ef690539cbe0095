import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseAllDocuments, stringify } from 'yaml'
import { freePort } from '../support/free-port.ts'
import { freshVhost } from '../support/vhost.ts'
import { eventually } from '../support/wait.ts'
import { type Typed, type } from './terminal.ts'

/** A reader with terminals in the clone, who does what a page says. */
export type Walk = AsyncDisposable & {
  /** Types commands that go on until they are interrupted. */
  start(script: string): Typed
  /** Types commands and waits for their end; what they wrote. @throws where they fail */
  run(script: string): Promise<string>
  /** The same until the output matches. */
  runUntil(script: string, expected: RegExp): Promise<string>
}

type Document = { readonly kind: string; readonly spec: Record<string, unknown> }

const example = 'examples/first-subscription.yaml'

/** Writes the example for this virtual host, and with short waits, into a folder of its own; the path of the file. */
const exampleFor = (vhost: string, replace: (text: string) => string): string => {
  const text = replace(readFileSync(example, 'utf8'))
  const documents = parseAllDocuments(text).map((document) => document.toJS() as Document)
  for (const { kind, spec } of documents) {
    if (kind === 'Broker') spec.vhost = vhost
    if (kind === 'Subscription') spec.delivery = { retry: { schedule: ['5s'] } }
  }
  const path = join(mkdtempSync(join(tmpdir(), 'waybill-walk-')), 'first-subscription.yaml')
  writeFileSync(path, documents.map((one) => stringify(one)).join('---\n'))
  return path
}

/** Counts in statuses may be as old as `resyncInterval`, a minute. */
const untilMs = 90_000

/**
 * Begins a walk along a page, on a virtual host of its own. Addresses, user and virtual host in the commands of the page
 * are replaced by those of this test, and the waits between attempts are 5 s; nothing else is.
 */
export const beginWalk = async (): Promise<Walk> => {
  const vhost = await freshVhost()
  const [subscriberPort, waybillPort, dataPort] = [await freePort(), await freePort(), await freePort()]
  const { username, password } = vhost.endpoint
  const replaceAddresses = (text: string): string =>
    text
      .replaceAll('amqp://guest:guest@127.0.0.1:5672', vhost.secret.connection_string)
      .replaceAll('http://127.0.0.1:15672', vhost.managementUrl)
      .replaceAll('http://127.0.0.1:8080', `http://127.0.0.1:${subscriberPort}`)
  const path = exampleFor(vhost.name, replaceAddresses)
  const replace = (script: string): string =>
    replaceAddresses(script)
      .replaceAll('guest:guest', `${username}:${password}`)
      .replaceAll('%2F', encodeURIComponent(vhost.name))
      .replaceAll(example, path)
      .replace(/(?<=examples\/subscriber\.mjs)( 8080)?/g, ` ${subscriberPort}`)
      .replaceAll(
        'waybill -- run',
        `waybill -- run --listen 127.0.0.1:${waybillPort} --data-listen 127.0.0.1:${dataPort}`,
      )
      .replaceAll('waybill -- dead-letters ls', `waybill -- dead-letters ls --server http://127.0.0.1:${dataPort}`)
      .replaceAll('waybill -- get', `waybill -- get --server http://127.0.0.1:${waybillPort}`)

  const typed: Typed[] = []
  const start = (script: string): Typed => {
    const started = type(replace(script))
    typed.push(started)
    return started
  }
  const run = async (script: string): Promise<string> => {
    const { ended, output } = start(script)
    const code = await ended
    if (code !== 0) throw new Error(`These commands ended with ${code}:\n${script}\n${output()}`)
    return output()
  }
  return {
    start,
    run,
    runUntil: (script, expected) =>
      eventually(
        async () => {
          const output = await run(script)
          if (!expected.test(output)) throw new Error(`Does not match ${expected}:\n${output}`)
          return output
        },
        { timeoutMs: untilMs },
      ),
    async [Symbol.asyncDispose]() {
      await Promise.all(typed.map((each) => each.interrupt()))
      rmSync(join(path, '..'), { recursive: true })
      await vhost.drop()
    },
  }
}
