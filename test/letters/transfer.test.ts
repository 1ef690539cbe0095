import { existsSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { contentHash, publishedProperties } from '../../src/delivery/letters/record.ts'
import type { ShownLetter } from '../../src/delivery/letters/shown.ts'
import type { Message } from '../../src/delivery/message/message.ts'
import type { Listed } from '../../src/dispatcher/data/dead-letters.ts'
import { browse } from '../../src/rabbit/amqp/holding/browse.ts'
import { waybill as command, start, waybillIn } from '../cli/waybill.ts'
import { deadLetterPolicyOf, subscriptionOf } from '../support/manifests.ts'
import { publishRaw, rawBytes, rawHeader } from '../support/raw-message.ts'
import { eventually } from '../support/wait.ts'
import { dlq, type LetterShop, openLetterShop, sequence } from './letter-shop.ts'

let it: LetterShop
beforeAll(async () => {
  it = await openLetterShop()
})
afterAll(() => it[Symbol.asyncDispose]())

const dl = (...args: string[]) => waybillIn(it.env, 'dead-letters', ...args, '--server', it.data)
const fileOf = (name: string): string => join(it.env.XDG_STATE_HOME ?? '', name)

/** Messages with whatever headers and bodies there may be, as somebody may have put them into the queue. */
const odd = (): { readonly properties: Buffer; readonly body: Buffer }[] => {
  const table = rawBytes(
    rawHeader('text', 'S', rawBytes('grün')),
    rawHeader('text', 'S', rawBytes('again')),
    rawHeader('not utf-8', 'S', rawBytes(Buffer.of(0xff, 0xfe))),
    rawHeader('bytes', 'x', rawBytes(Buffer.of(0, 1, 2))),
    rawHeader('small', 'b', [0x80]),
    rawHeader('int', 'I', [0, 0, 1, 0]),
    rawHeader('long', 'l', [0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]),
    rawHeader('double', 'd', [0x3f, 0xb9, 0x99, 0x99, 0x99, 0x99, 0x99, 0x9a]),
    rawHeader('time', 'T', [0, 0, 0, 0, 0x65, 0, 0, 0]),
    rawHeader('yes', 't', [1]),
    rawHeader('nothing', 'V'),
    rawHeader('table', 'F', rawBytes(rawHeader('authorization', 'S', rawBytes('inner')))),
    rawHeader('array', 'A', rawBytes(Buffer.from('t\x01'), Buffer.from('t\x00'))),
  )
  const texts = (...all: string[]) =>
    Buffer.concat(all.map((text) => Buffer.concat([Buffer.of(text.length), Buffer.from(text)])))
  // content type, headers, delivery mode, message id, type
  const properties = Buffer.concat([Buffer.of(0xb0, 0xa0), texts('text/plain'), table, Buffer.of(2), texts('m-1', 'x')])
  return [
    { properties, body: Buffer.from('text\u0000\u001b[31m') },
    { properties, body: Buffer.of(0xff, 0, 0x80) },
    { properties: Buffer.of(0x10, 0, 2), body: Buffer.alloc(0) },
    { properties: Buffer.of(0, 0), body: Buffer.from('{}') },
  ]
}

/** What is in the queue, byte for byte, but for what the broker counts, and the order of headers. */
const contents = (): Promise<string[]> =>
  eventually(async () => {
    const found: string[] = []
    const look = ({ properties, content }: Message): void => {
      found.push(contentHash(publishedProperties(properties), content))
    }
    const { signal } = new AbortController()
    const { isComplete } = await browse(it.shop.vhost.endpoint, { queue: dlq, most: 50_000, look }, signal)
    return isComplete && found.toSorted()
  })

/** What somebody looks at meanwhile is not there to be purged. */
const emptied = async (): Promise<void> => {
  const { channel } = it.shop.producer
  await eventually(async () => {
    await channel.purgeQueue(dlq)
    const { messageCount, consumerCount } = await channel.checkQueue(dlq)
    return messageCount === 0 && consumerCount === 0
  })
  await channel.purgeQueue(dlq)
}

let before: string[] = []

test('an export has everything, in a file of this user', async () => {
  await it.dead(sequence(0, 100))
  await publishRaw(it.shop.vhost.amqpUrl, '', dlq, odd())
  await eventually(async () => (await it.ready()) === 104)
  before = await contents()
  const file = fileOf('all.jsonl')
  const { code, err } = await dl('export', 'shop/billing', '-o', file)
  expect([code, err]).toEqual([0, `104 dead letters are in ${file}; they are still in their queue\n`])
  expect(statSync(file).mode & 0o777).toBe(0o600)
  const lines = readFileSync(file, 'utf8').trimEnd().split('\n')
  expect(lines).toHaveLength(105)
  expect(JSON.parse(lines[104] ?? '')).toEqual({ export: { count: 104, complete: true } })
  await eventually(async () => (await it.ready()) === 104)
  expect((await dl('export', 'shop/billing', '-o', file)).err).toMatch(/exists already/)
})

test('after the queue was emptied, an import brings back every byte, and made again it adds nothing', async () => {
  const file = fileOf('all.jsonl')
  await emptied()
  const { code, err } = await dl('import', 'shop/billing', file)
  expect([code, err]).toEqual([0, '104 dead letters imported\n'])
  expect(await contents()).toEqual(before)
  const again = await dl('import', 'shop/billing', file)
  expect([again.code, again.err]).toEqual([0, '0 dead letters imported, 104 were there already\n'])
  expect(await contents()).toEqual(before)
})

test('an import that was broken off goes on where it was', async () => {
  const lines = readFileSync(fileOf('all.jsonl'), 'utf8').split('\n')
  await emptied()
  writeFileSync(fileOf('half.jsonl'), [...lines.slice(0, 60), '{"id":'].join('\n'))
  const half = await dl('import', 'shop/billing', fileOf('half.jsonl'))
  expect([half.code, half.err]).toEqual([
    2,
    expect.stringMatching(/line 61 is not JSON; 60 were imported and 0 were there/),
  ])
  const all = await dl('import', 'shop/billing', fileOf('all.jsonl'))
  expect(all.err).toBe('44 dead letters imported, 60 were there already\n')
  expect(await contents()).toEqual(before)
})

test('an import that is killed goes on where it was, and no letter is there twice', async () => {
  const [line = ''] = readFileSync(fileOf('all.jsonl'), 'utf8').split('\n')
  const record = JSON.parse(line) as { properties: object }
  const many = Array.from({ length: 20_000 }, (_, seq) => ({
    ...record,
    properties: { ...record.properties, messageId: `killed-${seq}` },
    body: 'x'.repeat(500),
  }))
  writeFileSync(fileOf('many.jsonl'), many.map((each) => `${JSON.stringify(each)}\n`).join(''))
  await emptied()
  const args = ['dl', 'import', 'shop/billing', fileOf('many.jsonl'), '--server', it.data, '--token', it.token]
  const { child, ended } = start(...args)
  await eventually(async () => (await it.ready()) > 100)
  child.kill('SIGKILL')
  await ended
  const { code, err } = await command(...args)
  expect([code, err]).toEqual([0, expect.stringMatching(/^\d+ dead letters imported, \d+ were there already\n$/)])
  const found = await contents()
  expect([found.length, new Set(found).size]).toEqual([20_000, 20_000])
  expect(it.waybill.logs()).not.toMatch(/"level":"error"/)
  await emptied()
  await dl('import', 'shop/billing', fileOf('all.jsonl'))
})

test.each([
  [
    'a letter of another subscription',
    (line: string) => line.replace('"shop/billing"', '"shop/mail"'),
    /another subscription/,
  ],
  [
    'a letter that the broker would put elsewhere too',
    (line: string) => line.replace('"headers":[', '"headers":[{"name":"CC","t":"A","b":"AAAAAA=="},'),
    /header CC/,
  ],
  [
    'a letter with a type that does not exist',
    (line: string) => line.replace('"t":"S"', '"t":"?"'),
    /as they were exported/,
  ],
  ['a letter without a body', (line: string) => line.replace('"body":', '"bdy":'), /needs body or bodyBase64/],
])('%s is refused, and nothing is published', async (_what, change, message) => {
  const [line = ''] = readFileSync(fileOf('all.jsonl'), 'utf8').split('\n')
  const answer = await it.ask('/import', {
    method: 'POST',
    headers: { authorization: `Bearer ${it.token}` },
    body: change(line),
  })
  expect([answer.status, await answer.json()]).toEqual([
    400,
    expect.objectContaining({ message: expect.stringMatching(message) }),
  ])
  await eventually(async () => (await it.ready()) === 104)
})

test('what a filter selects is exported alone, and an unknown parameter is refused', async () => {
  const { code, err } = await dl('export', 'shop/billing', '--status', '4xx', '-o', fileOf('some.jsonl'))
  expect([code, err]).toEqual([0, expect.stringMatching(/^100 dead letters are in/)])
  rmSync(fileOf('some.jsonl'))
  const few = await dl('export', 'shop/billing', '--limit', '7', '-o', fileOf('some.jsonl'))
  expect([few.code, few.err]).toEqual([1, expect.stringMatching(/has 7 dead letters, which are not all/)])
  expect((await it.ask('/export?colour=red')).status).toBe(400)
  expect(
    (await it.ask('/import?force=true', { method: 'POST', headers: { authorization: `Bearer ${it.token}` } })).status,
  ).toBe(400)
})

test('what the policy redacts is in no answer, and cannot be imported as if it were whole', async () => {
  const { folder } = it.shop
  folder.write('policy', [
    deadLetterPolicyOf('private', { default: true, redact: { headers: ['TEXT'], jsonPointers: ['/seq'] } }),
  ])
  const letters = async (): Promise<ShownLetter[]> => ((await (await it.ask('')).json()) as Listed).letters.slice()
  await eventually(async () => (await letters())[0]?.redacted === true)
  const all = await letters()
  expect(JSON.stringify(all)).not.toContain('grün')
  const bodies = await Promise.all([0, 100].map(async (at) => (await it.ask(`/${all[at]?.id}/body`)).text()))
  expect(bodies).toEqual(['{"seq":"[redacted]"}', '[redacted]'])
  const file = fileOf('redacted.jsonl')
  expect((await dl('export', 'shop/billing', '-o', file)).code).toBe(0)
  expect(readFileSync(file, 'utf8')).not.toMatch(/grün|"seq\\":\d/)
  expect((await dl('import', 'shop/billing', file)).err).toMatch(/line 1 is redacted/)

  const naming = (spec: object) =>
    folder.write('billing', [subscriptionOf('billing', 'orders', it.subscriber.url, spec)])
  naming({ deadLetterPolicyRef: { name: 'private' } })
  folder.write('policy', [])
  await eventually(async () => (await it.ask('')).status === 409)
  const refused = 'DeadLetterPolicy shop/private does not exist'
  for (const path of ['', `/${all[0]?.id}`, `/${all[0]?.id}/body`, '/export']) {
    expect(await (await it.ask(path)).text()).toContain(refused)
  }
  expect((await dl('ls', 'shop/billing')).err).toContain(refused)
  naming({})
  await eventually(async () => (await letters())[0]?.redacted === undefined)
})

test('an export that cannot be made leaves no file', async () => {
  const file = fileOf('none.jsonl')
  const { code } = await dl('export', 'shop/nobody', '-o', file)
  expect([code, existsSync(file), existsSync(`${file}.part`)]).toEqual([1, false, false])
  const usage = await command('dl', 'export', 'shop/billing')
  expect(usage.code).toBe(2)
})

test('the letters that nobody described are listed, and nothing of them reaches a terminal raw', async () => {
  const { out } = await dl('ls', 'shop/billing', '--by', 'none', '-o', 'jsonl')
  const { letters } = {
    letters: out
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as { id: string; size: number; messageId?: string }),
  }
  const texts = letters.filter(({ size, messageId }) => size === 10 && messageId === 'm-1')
  const shown = await dl('show', 'shop/billing', texts[0]?.id ?? '', '--body')
  expect(shown.out).toContain('text\\u{0}\\u{1b}[31m')
  expect(shown.out).toContain('"authorization","masked":true')
  // biome-ignore lint/suspicious/noControlCharactersInRegex: that is what is looked for
  expect(shown.out).not.toMatch(/[\u0000-\u0008\u001b]/)
})
