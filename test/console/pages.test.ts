import type { Job } from '../../src/api/job.ts'
import { style } from '../../src/console/assets/style.ts'
import { jobPage } from '../../src/console/pages/job.ts'
import { jobsPage } from '../../src/console/pages/jobs.ts'
import { letterPage } from '../../src/console/pages/letter.ts'
import { lettersOnPage, lettersPage } from '../../src/console/pages/letters.ts'
import { loginPage } from '../../src/console/pages/login.ts'
import { overviewPage, subscriptionsOnPage } from '../../src/console/pages/overview.ts'
import { permissionsPage, rights } from '../../src/console/pages/permissions.ts'
import { problemPage } from '../../src/console/pages/problem.ts'
import { subscriptionPage } from '../../src/console/pages/subscription.ts'
import { unroutedPage } from '../../src/console/pages/unrouted.ts'
import { whichNamespacePage } from '../../src/console/pages/which-namespace.ts'
import { brokerWith, jobWith, subscriptionWith, topicWith } from './fixtures.ts'
import { hostile, letterWith } from './hostile.ts'

const nowMs = Date.parse('2026-11-28T12:00:00Z')
const of = { namespace: 'shop', name: 'billing' }
const all = { replay: true, discard: true, body: true }
const mayDo = { create: true, patch: true, remove: true }

const row = Array.from({ length: 60 }, (_, at) => (at * 37) % 11)
const hour = { delivered: row, failed: row.toReversed(), backlog: row.map((value) => value * 100) }

/** Every page, with this text wherever somebody else may have put one. */
const pagesWith = (text: string): Record<string, unknown> => {
  const viewer = { user: text, form: 'FORM' }
  const letters = Array.from({ length: lettersOnPage }, () => letterWith(text))
  const filter = new URLSearchParams({ type: text })
  const subscriptions = Array.from({ length: subscriptionsOnPage }, () => subscriptionWith(text))
  const shared = { viewer, nowMs }
  const jobs: Job[] = Array.from({ length: 30 }, (_, at) => jobWith(text, { ended: at > 2 }))
  return {
    login: loginPage({ howToLogIn: [text, `$ ${text}`], to: text, form: 'FORM', problem: text }),
    problem: problemPage(503, text, viewer),
    'which namespace': whichNamespacePage(viewer, 'jobs'),
    overview: overviewPage({
      ...{ ...shared, namespace: text, subscriptions, brokers: [brokerWith(text)], part: 1 },
      hours: new Map([[text, new Map([[text, hour]])]]),
    }),
    subscription: subscriptionPage({
      ...shared,
      subscription: subscriptionWith(text),
      jobs,
      may: all,
      hours: new Map([[text, hour]]),
    }),
    letters: lettersPage({
      ...{ ...shared, of, filter, part: 1, about: 9, may: all },
      listed: { letters, complete: false, looked: 200_000 },
    }),
    letter: letterPage({
      ...{ viewer, of, may: all, found: { letter: letterWith(text), copies: 2 } },
      body: Buffer.from(text.replaceAll('\0', '')),
      revealed: [{ name: text, value: text }],
    }),
    'letter, not revealed': letterPage({
      ...{ viewer, of, may: all, found: { letter: letterWith(text), copies: 1 } },
    }),
    job: jobPage({ ...shared, may: mayDo, job: jobWith(text, { ended: false }) }),
    count: jobPage({ ...shared, may: mayDo, job: jobWith(text, { ended: true, dryRun: true }) }),
    jobs: jobsPage({ ...shared, jobs }),
    unrouted: unroutedPage({ viewer, topics: [topicWith(text)], brokers: [brokerWith(text)] }),
    permissions: permissionsPage({ viewer, namespace: text, may: rights.map(() => false) }),
  }
}

describe.each(hostile)('with %j in every text', (text) => {
  test.each(Object.keys(pagesWith('')))('the page %s shows it and is not changed by it', (name) => {
    const page = String(pagesWith(text)[name])
    const plain = String(pagesWith('plain')[name])
    // The same elements, with the same attributes: nothing of the text became one.
    expect(shapeOf(page)).toEqual(shapeOf(plain))
    // But for what a form holds, which must be exact.
    expect(page.replace(/<input[^>]*>/g, '')).not.toMatch(/[\r\0\u202e]/)
    expect(page).not.toContain('<script>')
  })
})

/** The tags of a page with the names of their attributes. */
const shapeOf = (page: string): string[] =>
  [...page.matchAll(/<(\/?[a-z][a-z0-9]*)((?:\s+[a-z-]+(?:="[^"]*")?)*)\s*\/?>/gi)].map(
    ([, tag, attributes = '']) => `${tag} ${[...attributes.matchAll(/([a-z-]+)="/gi)].map(([, each]) => each).join()}`,
  )

test.each(Object.entries(pagesWith('An error of the usual length, with a code: 503 (Service Unavailable)')))(
  'the page %s has at most 30 kB, and neither style nor script in it',
  (_, made) => {
    const page = String(made)
    expect(Buffer.byteLength(page)).toBeLessThan(30_000)
    expect(page).not.toMatch(/ style=| on[a-z]+=|<style|javascript:/i)
    expect(page.match(/<script[^>]*>/g) ?? []).toEqual(
      page.includes('hx-get') ? ['<script src="/console/assets/htmx.js" defer>'] : [],
    )
    // Whoever sends a form is who got it.
    for (const [form] of page.matchAll(/<form[^>]*method="post".*?<\/form>/gs)) expect(form).toContain('value="FORM"')
  },
)

test('what cannot be shown is said: a list with gaps, a body that is cut, one that is not text', () => {
  const viewer = { user: 'u', form: 'FORM' }
  const parts = { viewer, nowMs, of, filter: new URLSearchParams(), part: 1, about: undefined, may: all }
  const some = { letters: [letterWith('x')], complete: false, looked: 200_000 }
  expect(String(lettersPage({ ...parts, listed: some }))).toContain('These are not all: the first 200,000 messages')
  const found = { letter: letterWith('x'), copies: 1 }
  const shown = (body: Uint8Array): string => String(letterPage({ viewer, of, may: all, found, body }))
  const long = shown(Buffer.alloc(1_048_576, '{"a":"ü"}'))
  expect([long.length < 30_000, long.includes('first bytes of 1,048,576')]).toEqual([true, true])
  expect(shown(Buffer.from([0xff, 0x00, 0x3c]))).toContain('ff 00 3c')
})

test('who may not see bodies gets neither a button for them nor one for masked headers', () => {
  const found = { letter: letterWith('x'), copies: 1 }
  const may = { replay: false, discard: false, body: false }
  const page = String(letterPage({ viewer: { user: 'u', form: 'FORM' }, of, may, found }))
  expect(page).toContain('<code>get</code> on <code>subscriptions/deadletterbodies</code>')
  expect(page).not.toMatch(/action="[^"]*\/body"/)
  expect(page).toMatch(/<button disabled[^>]*>Reveal masked values/)
  expect(page).toMatch(/<button name="do" value="replay"[^>]* disabled/)
})

test('the address of a subscriber is shown without what may be a secret in it', () => {
  const subscription = subscriptionWith('x', 'https://user:secret@api.example.com/hook?key=secret')
  const page = String(
    subscriptionPage({
      viewer: { user: 'u', form: 'F' },
      nowMs,
      subscription,
      jobs: [],
      may: all,
      hours: undefined,
    }),
  )
  expect(page).toContain('https://api.example.com/hook')
  expect(page).not.toContain('secret')
})

/** By the formula of WCAG 2. */
const luminance = (hex: string): number => {
  const full = hex.length === 4 ? hex.replace(/[0-9a-f]/g, '$&$&') : hex
  const [r = 0, g = 0, b = 0] = [1, 3, 5]
    .map((at) => Number.parseInt(full.slice(at, at + 2), 16) / 255)
    .map((value) => (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4))
  return 0.2126 * r + 0.7152 * g + 0.0722 * b
}

test.each(
  [...style.matchAll(/:root \{(.*?)\}/gs)].map(([, colours = ''], at) => [at === 0 ? 'light' : 'dark', colours]),
)('in %s colours all text has the contrast of AA', (_, colours) => {
  const of = new Map([...colours.matchAll(/--([a-z-]+): (#[0-9a-f]{3,6})/g)].map(([, name, hex]) => [name, hex ?? '']))
  const pairs = [
    ...['page', 'card', 'soft'].flatMap((back) => ['text', 'quiet', 'link', 'bad'].map((fore) => [fore, back])),
    ...['good', 'bad', 'warn'].map((name) => [name, `${name}-page`]),
    ['on-main', 'main'],
  ]
  const low = pairs.filter(([fore, back]) => {
    const [a = 0, b = 0] = [luminance(of.get(fore) ?? ''), luminance(of.get(back) ?? '')].sort((x, y) => y - x)
    return (a + 0.05) / (b + 0.05) < 4.5
  })
  expect(low).toEqual([])
})
