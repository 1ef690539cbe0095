import { existsSync, globSync, statSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { createMetrics } from '../../src/telemetry/metrics.ts'
import { anchorsOf, linksOf, pages, textOf } from './pages.ts'

const isExternal = (target: string): boolean => /^(https?|mailto):/.test(target)

/** The file and the anchor that a link of a page leads to, from the root of the repository. */
const targetOf = (page: string, link: string): { readonly file: string; readonly anchor: string } => {
  const [path = '', anchor = ''] = link.split('#')
  return { file: path === '' ? page : normalize(join(dirname(page), path)), anchor }
}

const isBroken = (page: string, link: string): boolean => {
  const { file, anchor } = targetOf(page, link)
  if (!existsSync(file)) return true
  if (anchor === '' || statSync(file).isDirectory()) return anchor !== ''
  return !anchorsOf(textOf(file)).has(anchor)
}

test.each(pages)('every link of %s leads to a file and a heading that exist', (page) => {
  const links = linksOf(textOf(page)).filter((link) => !isExternal(link))
  expect(links.filter((link) => isBroken(page, link))).toEqual([])
})

test('a link to a missing file or heading is found', () => {
  expect(isBroken('README.md', 'docs/missing.md')).toBe(true)
  expect(isBroken('README.md', 'docs/concepts.md#missing')).toBe(true)
  expect(isBroken('docs/concepts.md', '#broker')).toBe(false)
})

test('README.md has at most 120 lines', () => {
  expect(textOf('README.md').trimEnd().split('\n').length).toBeLessThanOrEqual(120)
})

test('every page can be reached from README.md by links', () => {
  const reached = new Set(['README.md'])
  for (const page of reached) {
    for (const link of linksOf(textOf(page))) {
      const { file } = targetOf(page, link)
      if (!isExternal(link) && pages.includes(file)) reached.add(file)
    }
  }
  expect(pages.filter((page) => !reached.has(page))).toEqual([])
})

test('every folder of src with files is a row of docs/architecture.md', () => {
  const text = textOf('docs/architecture.md')
  const folders = new Set(globSync('src/**/*.ts').map((file) => `${dirname(file)}/`))
  folders.delete('src/')
  expect([...folders].filter((folder) => !text.includes(`\n| \`${folder}\` | `))).toEqual([])
})

test('every file that a page of docs/ names exists, unless it is marked as new', () => {
  const roots = ['', 'src/', 'test/', 'charts/waybill/']
  const isFile = (text: string) => /^[\w.-]+(\/[\w.-]+)+$/.test(text) && /(\.\w+|^src\/.*)$/.test(text)
  const named = pages
    .filter((page) => page.startsWith('docs/'))
    .flatMap((page) => [...textOf(page).matchAll(/`([^`\n]+)`(?! \(new\))/g)].map(([, text = '']) => ({ page, text })))
    .filter(({ text }) => isFile(text))
  expect(named.length).toBeGreaterThan(50)
  expect(named.filter(({ text }) => !roots.some((root) => existsSync(root + text)))).toEqual([])
})

test('every metric has a row in docs/operations.md, and every alert a heading', async () => {
  const text = textOf('docs/operations.md')
  const all = await createMetrics().registry.getMetricsAsJSON()
  const names = all.map(({ name }) => name).filter((name) => name.startsWith('waybill_'))
  expect(names.length).toBeGreaterThan(20)
  expect(names.filter((name) => !text.includes(`\`${name}\``))).toEqual([])
  const alerts = [...textOf('charts/waybill/alerts.yaml').matchAll(/- alert: (\w+)/g)].map(([, alert]) => alert)
  expect(alerts.filter((alert) => !text.includes(`\n### ${alert}\n`))).toEqual([])
})

test('every condition has a heading in docs/operations.md, and every reason is explained there', () => {
  const text = textOf('docs/operations.md')
  const source = textOf('src/api/conditions.ts')
  const types = [...source.matchAll(/^ {2}([A-Z]\w+): [[{]/gm)].map(([, type]) => type)
  const reasons = [...source.matchAll(/'([A-Z]\w+)'/g)].map(([, reason = '']) => reason)
  expect(types.length).toBeGreaterThan(10)
  expect(types.filter((type) => !text.includes(`\n### ${type}\n`))).toEqual([])
  expect(reasons.filter((reason) => !/^(True|False|Unknown)$/.test(reason) && !text.includes(`\`${reason}\``))).toEqual(
    [],
  )
})
