import { createConsole } from '../../src/console/app.ts'
import { localBackends } from '../../src/console/backends/local.ts'
import { createOneTime } from '../../src/console/one-time.ts'
import { BackendError, type Backends } from '../../src/console/port.ts'
import { jobWith, subscriptionWith } from './fixtures.ts'
import { letterWith } from './hostile.ts'

const token = 'the-token-of-this-process'
const secret = 'canary-7c1d'
const here = 'http://127.0.0.1:9403'
const isLoopback = (host: string): boolean => /^(localhost|127\.0\.0\.1)(:\d+)?$/.test(host)

const letter = letterWith('plain')

/** A console over resources in memory, what was done with them, and what went wrong. */
const opened = (more: Partial<Parameters<typeof createConsole>[0]> = {}) => {
  const done: unknown[] = []
  const failures: unknown[] = []
  const job = jobWith('billing', { ended: true, dryRun: true })
  const counted = jobWith('parked', { ended: true, dryRun: true })
  const { subscriptionRef: _, to: __, ...rest } = counted.spec
  const parked = { ...counted, spec: { ...rest, topicRef: { name: 'orders' } } }
  const running = jobWith('running', {})
  const resources: Record<string, object[]> = {
    Subscription: [subscriptionWith('billing')],
    Replay: [job, parked, running],
  }
  const noted =
    (what: string) =>
    (...args: unknown[]) => {
      done.push([what, ...args.slice(1)])
      return undefined
    }
  const backends = localBackends({
    ...{ token, user: 'alice', howToLogIn: ['Paste it'] },
    store: {
      list: ({ kind }) => (resources[kind] ?? []) as never,
      get: ({ kind }, namespace, name) =>
        (resources[kind] ?? []).find((each) => {
          const { metadata } = each as ReturnType<typeof jobWith>
          return metadata.namespace === namespace && metadata.name === name
        }) as never,
    },
    history: () => undefined,
    create: noted('create'),
    patch: noted('patch'),
    remove: noted('remove'),
    letters: {
      list: async (_of, query) =>
        query.has('group')
          ? { problem: { code: 400, message: 'group must be' } }
          : { letters: [letter], complete: true, looked: 1 },
      find: async () => ({ letter, copies: 1, body: Buffer.from(`<b>${secret}</b>`) }),
      export: async () => {
        const headers = [{ name: 'authorization', t: 'S', v: secret }]
        return {
          lines: new Response(`${JSON.stringify({ id: letter.id, headers })}\n`).body as ReadableStream<Uint8Array>,
        }
      },
    },
  })
  const app = createConsole({
    ...{ backends, name: 'waybill-console-9403', isOurHost: isLoopback, isSecure: () => false },
    failed: (error) => failures.push(error),
    ...more,
  })
  return { app, done, failures, backends }
}

type App = ReturnType<typeof opened>['app']
const ours = { host: '127.0.0.1:9403', 'sec-fetch-site': 'same-origin' }

const ask = (app: App, path: string, init: RequestInit = {}): Promise<Response> =>
  Promise.resolve(app.request(`${here}${path}`, { ...init, headers: { ...ours, ...init.headers } }))

const cookiesOf = (answer: Response): string =>
  answer.headers
    .getSetCookie()
    .map((cookie) => cookie.split(';')[0])
    .join('; ')

const formTokenIn = (page: string): string => /name="form" value="([^"]+)"/.exec(page)?.[1] ?? ''

/** Somebody who has logged in with a token. */
const loggedIn = async (app: App, given = token) => {
  const form = formTokenIn(await (await ask(app, '/console')).text())
  const body = new URLSearchParams({ form, token: given, to: '/console' })
  const answer = await ask(app, '/console/login', { method: 'POST', body })
  const cookie = cookiesOf(answer)
  const own = formTokenIn(await (await ask(app, '/console', { headers: { cookie } })).text())
  return {
    ...{ answer, cookie, form: own },
    get: (path: string) => ask(app, path, { headers: { cookie } }),
    post: (path: string, fields: Record<string, string>, headers: Record<string, string> = {}) =>
      ask(app, path, {
        method: 'POST',
        body: new URLSearchParams({ form: own, ...fields }),
        headers: { cookie, ...headers },
      }),
  }
}

const pages = [
  '',
  '/jobs',
  '/unrouted',
  '/permissions',
  '/subscriptions/billing/billing',
  '/replays/billing/billing',
  '/replays/running/running/rate',
]
const letters = '/subscriptions/billing/billing/deadletters'
const everyPage = [...pages, letters, `${letters}/${letter.id}`].map((path) => `/console${path}`)

test.each(everyPage)('the page %s is shown to who is logged in, and to nobody else', async (path) => {
  const { app, failures } = opened()
  expect((await ask(app, path)).status).toBe(401)
  const answer = await (await loggedIn(app)).get(path)
  expect([answer.status, failures]).toEqual([200, []])
  const policy = answer.headers.get('content-security-policy')
  expect(policy).toContain("default-src 'none'; script-src 'self'; style-src 'self'")
  expect(policy).toContain("frame-ancestors 'none'")
  expect([
    ...['x-content-type-options', 'cache-control', 'referrer-policy'].map((name) => answer.headers.get(name)),
  ]).toEqual([...['nosniff', 'no-store', 'no-referrer']])
  expect(await answer.text()).not.toContain(secret)
})

test('the cookie holds nothing that can be read, lasts no longer than the token, and is good for this console alone', async () => {
  const exp = Math.floor(Date.now() / 1000) + 600
  const jwt = ['e30', Buffer.from(JSON.stringify({ exp })).toString('base64url'), 'sig'].join('.')
  const backends = (own: Backends): Backends => ({ ...own, as: async () => own.as(token) })
  const { app } = opened({ backends: backends(opened().backends), isSecure: () => true })
  const { answer, cookie } = await loggedIn(app, jwt)
  const [first = ''] = answer.headers.getSetCookie()
  expect(first).toMatch(/; Path=\/console; HttpOnly; SameSite=Strict; Secure; Max-Age=(59\d|600)$/)
  expect(Buffer.from(first.split('=')[1] ?? '', 'base64url').toString('latin1')).not.toContain('sig')
  expect((await ask(app, '/console', { headers: { cookie } })).status).toBe(200)
  expect((await ask(opened().app, '/console', { headers: { cookie } })).status).toBe(401)
  const broken = cookie.replace(/=(.)/, (_, letter) => `=${letter === 'A' ? 'B' : 'A'}`)
  expect((await ask(app, '/console', { headers: { cookie: broken } })).status).toBe(401)
})

test('a session ends with its token, and by logging out', async () => {
  let now = 1_000_000
  const { app } = opened({ nowMs: () => now })
  const { get, post } = await loggedIn(app)
  now += 11 * 3_600_000
  expect((await get('/console')).status).toBe(200)
  now += 2 * 3_600_000
  expect((await get('/console')).status).toBe(401)
  expect((await post('/console/logout', {})).headers.getSetCookie().every((each) => each.endsWith('Max-Age=0'))).toBe(
    true,
  )
})

test('a wrong token does not log in, and a page elsewhere is no place to go on', async () => {
  const { app } = opened()
  const form = formTokenIn(await (await ask(app, '/console')).text())
  const login = (fields: Record<string, string>) =>
    ask(app, '/console/login', { method: 'POST', body: new URLSearchParams({ form, ...fields }) })
  const wrong = await login({ token: 'wrong', to: '/console' })
  expect([wrong.status, await wrong.text()]).toEqual([401, expect.stringContaining('This token is not valid.')])
  for (const to of [
    'https://elsewhere.example',
    '//elsewhere.example',
    '/\\elsewhere.example',
    '/console/../x',
    'x',
    '',
  ]) {
    expect((await login({ token, to })).headers.get('location')).toBe('/console')
  }
  expect((await login({ token, to: '/console/jobs?x=1' })).headers.get('location')).toBe('/console/jobs?x=1')
})

test('the address that is printed logs in once', async () => {
  const oneTime = createOneTime(token)
  const { app } = opened({ oneTime })
  const address = `/console/login?once=${oneTime.token}`
  expect((await ask(app, '/console/login?once=wrong')).status).toBe(401)
  const first = await ask(app, address)
  expect([first.status, first.headers.get('location')]).toEqual([303, '/console'])
  expect((await ask(app, '/console', { headers: { cookie: cookiesOf(first) } })).status).toBe(200)
  const second = await ask(app, address)
  expect([second.status, second.headers.getSetCookie()]).toEqual([401, []])
})

const actions = [
  '/console/subscriptions/billing/billing/check',
  '/console/replays/billing/billing/confirm',
  '/console/replays/billing/billing/do',
  `/console${letters}/${letter.id}/body`,
  `/console${letters}/${letter.id}/headers`,
]

describe.each(actions)('the action %s', (path) => {
  test('is not done by a GET', async () => {
    const { app, done } = opened()
    const answer = await (await loggedIn(app)).get(path)
    expect([answer.status, answer.headers.get('allow'), done]).toEqual([405, 'POST', []])
    expect(await answer.text()).not.toContain(secret)
  })

  test.each<[string, Record<string, string>, number]>([
    ['of another site', { 'sec-fetch-site': 'cross-site' }, 403],
    ['of another name of the site', { 'sec-fetch-site': 'same-site' }, 403],
    ['of a page that is nowhere', { 'sec-fetch-site': 'none' }, 403],
    ['of another origin, from an old browser', { 'sec-fetch-site': '', origin: 'http://elsewhere.example' }, 403],
    ['of another port, from an old browser', { 'sec-fetch-site': '', origin: 'http://127.0.0.1:9999' }, 403],
    ['of a frame without an origin', { 'sec-fetch-site': '', origin: 'null' }, 403],
    ['that says nothing of where it is from', { 'sec-fetch-site': '' }, 403],
    ['as JSON', { 'content-type': 'application/json' }, 415],
    ['as plain text', { 'content-type': 'text/plain' }, 415],
    ['as multipart', { 'content-type': 'multipart/form-data; boundary=x' }, 415],
    ['under a foreign name', { host: 'rebound.example.com' }, 421],
  ])('is not done by a request %s', async (_, headers, code) => {
    const { app, done } = opened()
    const { cookie, form } = await loggedIn(app)
    const sent = Object.entries({ ...ours, 'content-type': 'application/x-www-form-urlencoded', cookie, ...headers })
    const answer = await app.request(`${here}${path}`, {
      method: 'POST',
      body: String(new URLSearchParams({ form, do: 'replay' })),
      headers: Object.fromEntries(sent.filter(([, value]) => value !== '')),
    })
    expect([answer.status, done]).toEqual([code, []])
    expect(await answer.text()).not.toContain(secret)
  })

  test.each(['', 'x', 'of another session'])('is not done with the form token %j', async (which) => {
    const { app, done } = opened()
    const { post } = await loggedIn(app)
    const form = which === 'of another session' ? (await loggedIn(app)).form : which
    const answer = await post(path, { form, do: 'replay' })
    expect([answer.status, done]).toEqual([403, []])
    expect(await answer.text()).not.toContain(secret)
  })

  test('is not done by somebody who is not logged in', async () => {
    const { app, done } = opened()
    const { form } = await loggedIn(app)
    const answer = await ask(app, path, { method: 'POST', body: new URLSearchParams({ form, do: 'replay' }) })
    expect([answer.status, done]).toEqual([401, []])
  })
})

test('an old browser, which says its origin alone, can send forms', async () => {
  const { app } = opened()
  const { cookie, form } = await loggedIn(app)
  const answer = await app.request(`${here}${actions[3]}`, {
    method: 'POST',
    body: new URLSearchParams({ form }),
    headers: { host: '127.0.0.1:9403', origin: here, cookie },
  })
  expect(answer.status).toBe(200)
})

test('what is confirmed is what was counted: of the same cutoff and number, and nothing that came later', async () => {
  const { app, done } = opened()
  const { post } = await loggedIn(app)
  const confirm = (fields: Record<string, string>) => post('/console/replays/billing/billing/confirm', fields)
  const cutoff = '2026-11-28T11:00:00.123Z'
  for (const wrong of [{ cutoff, count: '99' }, { cutoff: '2026-11-28T12:00:00Z', count: '100' }, { count: '100' }]) {
    expect((await confirm(wrong as Record<string, string>)).status).toBe(409)
  }
  expect(done).toEqual([])
  const answer = await confirm({ cutoff, count: '100', to: 'Subscriber', canary: '3', rate: '20', abort: '' })
  expect([answer.status, answer.headers.get('location')]).toEqual([
    303,
    expect.stringMatching(/^\/console\/replays\/billing\/billing-/),
  ])
  expect(done).toEqual([
    [
      'create',
      {
        metadata: expect.objectContaining({ namespace: 'billing' }),
        spec: {
          ...{ subscriptionRef: { name: 'billing' }, requestedBy: 'alice', maxMessages: 100, to: 'Subscriber' },
          selector: { types: ['billing'], headers: { a: 'billing' }, deadLettered: { notAfter: cutoff } },
          ...{ canary: { messages: 3 }, rate: { requests: 20 } },
        },
      },
    ],
  ])
})

test('parked events that were counted go to their topic, by their number: they do not say when they came', async () => {
  const { app, done } = opened()
  const { get, post } = await loggedIn(app)
  const page = await (await get('/console/replays/parked/parked')).text()
  expect(page).toContain('100 parked events would go to each subscription that wants them now.')
  expect(await (await get('/console/jobs')).text()).not.toContain('undefined')
  await post('/console/replays/parked/parked/confirm', { cutoff: '2026-11-28T11:00:00.123Z', count: '100' })
  expect(done).toMatchObject([['create', { metadata: { namespace: 'parked' } }]])
  expect((done as [string, { spec: object }][])[0]![1].spec).toEqual({
    ...{ topicRef: { name: 'orders' }, to: 'Topic', requestedBy: 'alice', maxMessages: 100 },
    selector: { types: ['parked'], headers: { a: 'parked' } },
  })
})

test.each<[string, Record<string, string>, object]>([
  ['the group', { do: 'replay', group: 'bbbbbbbbbb' }, { selector: { groups: ['bbbbbbbbbb'] } }],
  ['everything', { do: 'discard' }, { selector: { all: true }, reason: 'Only counted' }],
  [
    'what is selected',
    { do: 'replay picked', pick: 'aaaaaaaaaaaaaaaa', status: '503' },
    { selector: { ids: ['aaaaaaaaaaaaaaaa'] } },
  ],
  [
    'a time',
    { do: 'replay', since: '2026-11-28T10:00:00Z' },
    { selector: { deadLettered: { notBefore: '2026-11-28T10:00:00Z' } } },
  ],
  ['what was discarded', { do: 'restore' }, { selector: { all: true }, to: 'DeadLetters' }],
])('before %s is taken it is counted', async (_, fields, spec) => {
  const { app, done } = opened()
  const { post } = await loggedIn(app)
  expect((await post(actions[0] ?? '', fields)).status).toBe(303)
  const shared = { subscriptionRef: { name: 'billing' }, dryRun: true, requestedBy: 'alice', ttlAfterFinished: '1h' }
  expect(done).toEqual([['create', { metadata: expect.anything(), spec: { ...shared, ...spec } }]])
})

test('nothing is selected where nothing was, rather than everything', async () => {
  const { app, done } = opened()
  const answer = await (await loggedIn(app)).post(actions[0] ?? '', { do: 'replay picked' })
  expect([answer.status, done]).toEqual([400, []])
})

test('the address of a list is its filter: tidied, with times as they are, and refused where it is wrong', async () => {
  const { app } = opened({ nowMs: () => Date.parse('2026-11-28T12:00:00Z') })
  const { get } = await loggedIn(app)
  const to = async (query: string) => (await get(`/console${letters}?${query}`)).headers.get('location')
  expect(await to('group=&status=5xx&since=2h&x=1')).toBe(
    `/console${letters}?status=5xx&since=2026-11-28T10%3A00%3A00.000Z`,
  )
  expect((await get(`/console${letters}?status=5xx&part=2`)).status).toBe(200)
  const refused = await get(`/console${letters}?group=x`)
  expect([refused.status, await refused.text()]).toEqual([400, expect.stringContaining('group must be')])
})

test('a body and masked headers are shown when they are asked for, as text, or sent as a file', async () => {
  const { app } = opened()
  const { post } = await loggedIn(app)
  const shown = await (await post(actions[3] ?? '', {})).text()
  expect(shown).toContain(`&lt;b&gt;${secret}&lt;/b&gt;`)
  const file = await post(actions[3] ?? '', { download: 'yes' })
  expect(
    ['content-type', 'content-disposition', 'x-content-type-options'].map((name) => file.headers.get(name)),
  ).toEqual([...['application/octet-stream', 'attachment; filename="aaaaaaaaaaaaaaaa.bin"', 'nosniff']])
  expect(await (await post(actions[4] ?? '', {})).text()).toContain(secret)
})

test('who may list no namespace but some is asked which; what is refused is said, and logged where nobody expects it', async () => {
  const { backends, failures } = opened()
  const as = async (given: string) => {
    const own = await backends.as(given)
    return (
      own && {
        ...own,
        list: async (_kind: unknown, namespace?: string) => {
          if (namespace === undefined) throw new BackendError(403, 'alice cannot list')
          if (namespace === 'gone') throw new BackendError(401, 'Unauthorized')
          throw new TypeError(secret)
        },
      }
    )
  }
  const { app } = opened({ backends: { ...backends, as } as Backends, failed: (error) => failures.push(error) })
  const { get } = await loggedIn(app)
  for (const path of ['', '/jobs', '/unrouted']) {
    expect(await (await get(`/console${path}`)).text()).toContain('name="namespace"')
  }
  expect((await get('/console?namespace=gone')).status).toBe(401)
  const unexpected = await get('/console?namespace=shop')
  expect([unexpected.status, failures]).toEqual([500, [expect.any(TypeError)]])
  expect(await unexpected.text()).not.toContain(secret)
})

test('the header of a proxy logs in where that is trusted, and forms are still those of the user', async () => {
  const authorization = `Bearer ${token}`
  expect((await ask(opened().app, '/console', { headers: { authorization } })).status).toBe(401)
  const { app, done } = opened({ trustsAuthorization: true })
  const page = await ask(app, '/console', { headers: { authorization } })
  expect(page.status).toBe(200)
  const form = formTokenIn(await page.text())
  const post = (fields: Record<string, string>) =>
    ask(app, actions[0] ?? '', {
      method: 'POST',
      body: new URLSearchParams({ do: 'replay', ...fields }),
      headers: { authorization },
    })
  expect((await post({})).status).toBe(403)
  expect(done).toEqual([])
  expect((await post({ form })).status).toBe(303)
})

test('the rate of a Replay that runs is asked for and changed, and nothing else of it', async () => {
  const { app, done } = opened()
  const { get, post } = await loggedIn(app)
  const path = '/console/replays/running/running'
  const shown = await (await get(path)).text()
  expect(shown).toContain('20 in 1s <a href="/console/replays/running/running/rate">Change</a>')
  const asked = await get(`${path}/rate`)
  expect([asked.status, await asked.text()]).toEqual([200, expect.stringContaining('name="rate" type="number"')])
  expect((await get('/console/replays/billing/billing/rate')).status).toBe(409)
  for (const rate of ['', '0', '-1', '1.5', 'many']) {
    expect((await post(`${path}/do`, { do: 'rate', rate })).status).toBe(400)
  }
  expect((await post(`${path}/do`, { do: 'rate', rate: '50' })).headers.get('location')).toBe(path)
  const of = { namespace: 'running', name: 'running' }
  expect(done).toEqual([['patch', expect.objectContaining(of), { rate: { requests: 50, per: '1s', ramp: true } }]])
})
