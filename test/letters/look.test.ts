import { statSync } from 'node:fs'
import { request } from 'node:http'
import { connect } from 'amqplib'
import { tokenFile } from '../../src/cli/data/token-file.ts'
import type { Found, Listed } from '../../src/dispatcher/data/dead-letters.ts'
import type { NamespaceHistory } from '../../src/dispatcher/status/history.ts'
import { waybillIn } from '../cli/waybill.ts'
import { eventually } from '../support/wait.ts'
import { dlq, type LetterShop, openLetterShop, sequence } from './letter-shop.ts'

let it: LetterShop
/** The messages that the first look saw, and those that came after. */
let order: (string | undefined)[] = []
beforeAll(async () => {
  it = await openLetterShop()
})
afterAll(() => it[Symbol.asyncDispose]())

const listed = async (query = ''): Promise<Listed> => (await (await it.ask(query)).json()) as Listed
const dl = (...args: string[]) => waybillIn(it.env, 'dead-letters', ...args, '--server', it.data)

test('300 dead letters are listed and shown again and again, and the queue is as it was', async () => {
  await it.dead(sequence(0, 300))
  const first = await listed()
  expect([first.letters.length, first.complete, first.looked]).toEqual([300, true, 300])
  expect(first.letters[0]).toMatchObject({ reason: 'Rejected', statusCode: 400, attempts: 1, replays: 0 })
  const ids = first.letters.map(({ id }) => id)
  order = first.letters.map(({ messageId }) => messageId)
  expect(new Set(ids).size).toBe(300)
  for (let round = 0; round < 10; round++) {
    expect((await listed()).letters.map(({ id }) => id)).toEqual(ids)
    const of = await listed(`?limit=${10 + round}`)
    expect([of.letters.map(({ id }) => id), of.complete]).toEqual([ids.slice(0, 10 + round), false])
    const found = (await (await it.ask(`/${ids[round * 20]}`)).json()) as Found
    expect([found.letter.id, found.copies]).toEqual([ids[round * 20], 1])
    const body = await it.ask(`/${ids[round * 20]}/body`)
    expect(body.headers.get('content-disposition')).toMatch(/^attachment;/)
    expect(body.headers.get('x-content-type-options')).toBe('nosniff')
    expect(await body.json()).toHaveProperty('seq')
  }
  await eventually(async () => (await it.ready()) === 300)
})

test('what comes while somebody looks is behind the rest, and the next look shows it', async () => {
  const looking = listed()
  await it.dead(sequence(300, 320))
  await looking
  const after = await listed()
  expect([after.letters.length, after.complete]).toEqual([320, true])
  expect(after.letters.slice(0, 300).map(({ messageId }) => messageId)).toEqual(order)
  order = after.letters.map(({ messageId }) => messageId)
})

test('several who look at once all see everything', async () => {
  const all = await Promise.all([listed(), listed(), listed('?status=4xx'), listed('?status=5xx')])
  expect(all.map(({ letters, complete }) => [letters.length, complete])).toEqual([
    ...[320, 320, 320, 0].map((count) => [count, true]),
  ])
})

test('while somebody else has letters in hand a list waits for them, and says when it did not get them', async () => {
  const connection = await connect(it.shop.vhost.amqpUrl)
  const channel = await connection.createChannel()
  await channel.prefetch(10)
  await channel.consume(dlq, () => undefined)
  await eventually(async () => (await it.ready()) <= 310)
  expect((await it.ask('')).status).toBe(409)
  const waiting = listed()
  await connection.close()
  const { letters, complete } = await waiting
  const found = letters.map(({ messageId }) => messageId)
  expect([found.toSorted(), complete]).toEqual([order.toSorted(), true])
  // Those that a consumer of somebody else returns are behind the others, which were returned before.
  order = found
})

test('the command lists and shows, and says when that is not all', async () => {
  const { code, out, err } = await dl('ls', 'billing', '-n', 'shop', '--limit', '3')
  expect([code, err]).toEqual([0, expect.stringMatching(/^These are not all: .* 320 /)])
  const [heads, ...rows] = out.trimEnd().split('\n')
  expect(heads).toMatch(/^ID +GROUP +AGE +REASON +STATUS +ATTEMPTS +TYPE +EVENT +ERROR$/)
  expect(rows).toHaveLength(3)
  const [id = ''] = rows[0]?.split(' ') ?? []
  const shown = await dl('show', 'shop/billing', id, '--body')
  expect([shown.code, shown.out]).toEqual([0, expect.stringMatching(/^id: +\w{16}\n(.|\n)*\n\{"seq":\d+\}\n$/)])
  const lines = await dl('ls', 'shop/billing', '--since', '1h', '-o', 'jsonl')
  expect(
    lines.out
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line)),
  ).toHaveLength(320)
  expect((await dl('ls', 'shop/billing', '--until', '1h')).err).toBe('No dead letters of shop/billing that match\n')
})

test('the command without a subscription lists how many each has, and why', async () => {
  const group = (await listed()).letters[0]?.group
  const groups = async () => (await waybillIn(it.env, 'dl', 'ls', '--status-server', it.waybill.server)).out
  await eventually(async () => {
    const out = await groups()
    return /^shop\/billing +320( |$)/m.test(out) && new RegExp(`^ +320 +${group} +Rejected +400 `, 'm').test(out)
  })
})

test('names of subscriptions are completed from the server that answers', async () => {
  const asked = (...words: string[]) =>
    waybillIn(it.env, '__complete', 'dl', 'show', '--status-server', it.waybill.server, ...words)
  // It gives up after a second, which a busy machine may need.
  await eventually(async () => (await asked('')).out === 'shop/billing\n:4\n')
  await eventually(async () => (await asked('-n', 'shop', 'b')).out === 'billing\n:4\n')
  expect((await waybillIn(it.env, '__complete', 'dl', 'show', '--status-server', 'http://127.0.0.1:1', '')).out).toBe(
    ':4\n',
  )
})

test.each([
  ['?colour=red', 400, /unknown parameter "colour"/],
  ['?status=abc', 400, /status must be/],
  ['?group=', 400, /group must be/],
  ['?limit=0', 400, /limit must be/],
  ['?since=yesterday', 400, /since must be a time/],
  ['/aaaaaaaaaaaaaaaa', 404, /no dead letter/],
  ['/aaaaaaaaaaaaaaaa?x=1', 400, /unknown parameter "x"/],
])('the request %s is answered with %i', async (path, code, message) => {
  const answer = await it.ask(path)
  expect([answer.status, await answer.json()]).toEqual([
    code,
    expect.objectContaining({ kind: 'Status', message: expect.stringMatching(message) }),
  ])
})

test('the last hour of the subscriptions is there to see, minute by minute', async () => {
  const answer = await it.ask('/../../../history')
  const { from, subscriptions } = (await answer.json()) as NamespaceHistory
  expect(Date.now() - Date.parse(from)).toBeLessThan(3_600_000)
  const [{ name, delivered, failed, backlog } = { name: 'none' }] = subscriptions
  expect([name, delivered?.length, delivered?.at(-1), backlog?.at(-1)]).toEqual(['billing', 60, 0, 0])
  expect(failed?.reduce<number>((sum, each) => sum + (each ?? 0), 0)).toBe(320)
  expect(await (await it.ask('/../history')).json()).toMatchObject({ subscriptions: [{ name: 'billing' }] })
})

test('a subscription that does not exist is not found', async () => {
  const answer = await fetch(`${it.data}/namespaces/shop/subscriptions/mail/deadletters`, {
    headers: { authorization: `Bearer ${it.token}` },
  })
  expect(answer.status).toBe(404)
})

test('without the token nothing is answered, and under a foreign name not even with it', async () => {
  for (const headers of [{}, { authorization: 'Bearer wrong' }, { authorization: `Basic ${it.token}` }]) {
    expect((await it.ask('', { headers: headers as Record<string, string> })).status).toBe(401)
  }
  const as = (host: string) =>
    new Promise<number | undefined>((resolve, reject) => {
      const path = '/namespaces/shop/subscriptions/billing/deadletters?limit=1'
      const headers = { host, authorization: `Bearer ${it.token}` }
      request(new URL(path, it.data), { headers }, (answer) => resolve(answer.resume().statusCode))
        .on('error', reject)
        .end()
    })
  expect(await as('rebound.example.com')).toBe(421)
  expect(await as('127.0.0.1.example.com')).toBe(421)
  expect(await as('localhost:9403')).toBe(200)
  const { code, err } = await waybillIn({ ...it.env, WAYBILL_TOKEN: 'x' }, 'dl', 'ls', 'a', '--server', it.data)
  expect([code, err]).toEqual([3, expect.stringMatching(/^Error: not permitted: needs a valid token/)])
})

test('only this user can read the token, which is in no log', () => {
  const file = tokenFile(Number(new URL(it.data).port), it.env)
  expect(statSync(file).mode & 0o777).toBe(0o600)
  expect(it.waybill.logs()).not.toContain(it.token)
})

test('when the process that looks is killed, all are ready again', async () => {
  const looking = listed().catch(() => undefined)
  await eventually(async () => (await it.ready()) === 0, { timeoutMs: 30_000, everyMs: 5 })
  await it.waybill.kill('SIGKILL')
  await looking
  await eventually(async () => (await it.ready()) === 320, { timeoutMs: 30_000 })
})

test('after all this the letters are in their order, with their bytes', async () => {
  const letters = await it.drained(320)
  const bodies = letters.map(({ content }) => content.toString())
  const all = sequence(0, 320).map((body) => JSON.stringify(body))
  expect(bodies.toSorted()).toEqual(all.toSorted())
  expect(letters.map(({ properties }) => properties.messageId)).toEqual(order)
})
