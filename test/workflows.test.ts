import { globSync, readFileSync } from 'node:fs'
import { basename } from 'node:path'
import { parse } from 'yaml'

type Step = { readonly uses?: string; readonly run?: string; readonly with?: Readonly<Record<string, unknown>> }
type Job = {
  readonly permissions?: Readonly<Record<string, string>>
  readonly steps?: readonly Step[]
  readonly uses?: string
  readonly 'timeout-minutes'?: number
}
type Workflow = { readonly permissions?: object; readonly jobs: Readonly<Record<string, Job>> }

const scripts: Readonly<Record<string, string>> = JSON.parse(readFileSync('package.json', 'utf8')).scripts
const files = globSync('.github/workflows/*.yml').sort()
const workflow = (file: string): Workflow => parse(readFileSync(file, 'utf8'))
const stepsOf = (file: string): readonly Step[] => Object.values(workflow(file).jobs).flatMap(({ steps = [] }) => steps)

/** The npm scripts that a command line calls. */
const called = (command: string): string[] =>
  [...command.matchAll(/\bnpm (?:(start|test)\b|run (?:--?[\w-]+ )*([\w:-]+))/g)].map(
    ([, alone, script]) => alone ?? script ?? '',
  )

/** Hosts by their look: a name with a dot and a domain that registries have, or a name with a port. */
const hosts = /\b[\w-]+\.(?:io|com|org|net|dev|cloud|run|app)\b|\b[a-z][\w.-]*:\d{2,5}\b/gi

test('there is a workflow for changes and one for releases', () => {
  expect(files.map((file) => basename(file))).toEqual(['ci.yml', 'release.yml'])
})

describe.each(files)('%s', (file) => {
  test(`every npm script that ${file} calls is in package.json`, () => {
    const missing = stepsOf(file)
      .flatMap(({ run = '' }) => called(run))
      .filter((script) => scripts[script] === undefined)
    expect(missing).toEqual([])
  })

  test(`the workflow ${file} names no host of a registry, and uses variables of the repository instead`, () => {
    expect(readFileSync(file, 'utf8').match(hosts) ?? []).toEqual([])
    for (const { uses = '' } of stepsOf(file)) expect(uses).not.toMatch(/^docker:/)
  })

  test(`the jobs of ${file} have only the permissions that they list`, () => {
    expect(workflow(file).permissions).toEqual({})
    for (const job of Object.values(workflow(file).jobs)) expect(job.permissions).toEqual(expect.any(Object))
  })

  test(`the jobs of ${file} cannot hang for hours, and their checkouts keep no token`, () => {
    for (const job of Object.values(workflow(file).jobs)) {
      if (job.uses === undefined) expect(job['timeout-minutes']).toBeLessThanOrEqual(60)
    }
    for (const { uses = '', with: given } of stepsOf(file)) {
      if (uses.startsWith('actions/checkout@')) expect(given).toEqual({ 'persist-credentials': false })
    }
  })
})

test('changes are checked by scripts that anybody can run', () => {
  const scriptsOfCi = stepsOf('.github/workflows/ci.yml').flatMap(({ run = '' }) => called(run))
  expect(scriptsOfCi.sort()).toEqual(['bundle', 'check', 'lint:chart', 'lint:workflows', 'package', 'start', 'suite'])
})

test('the scripts of package.json call only files that exist', () => {
  const named = Object.values(scripts).flatMap((command) => command.match(/\b[\w/-]+\.(?:sh|ts)\b/g) ?? [])
  expect(named.filter((file) => globSync(file).length === 0)).toEqual([])
})

test.each(globSync('.github/ISSUE_TEMPLATE/*.yml').sort())('the issue template %s is a valid form', (file) => {
  const form = parse(readFileSync(file, 'utf8'))
  if (basename(file) === 'config.yml') return expect(form).toEqual({ blank_issues_enabled: true })
  expect(form).toMatchObject({ name: expect.any(String), description: expect.any(String) })
  const ids = form.body.flatMap(({ id }: { id?: string }) => id ?? [])
  expect(new Set(ids).size).toBe(ids.length)
})

test('Renovate pins the package whose files are imported', () => {
  const { packageRules }: { packageRules: { matchPackageNames?: string[] }[] } = JSON.parse(
    readFileSync('renovate.json', 'utf8'),
  )
  const rule = packageRules.find((one) => one.matchPackageNames?.includes('@kubernetes/client-node'))
  expect(rule).toMatchObject({ rangeStrategy: 'pin' })
  const { dependencies } = JSON.parse(readFileSync('package.json', 'utf8'))
  expect(dependencies['@kubernetes/client-node']).toMatch(/^\d+\.\d+\.\d+$/)
})
