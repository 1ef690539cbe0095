import { kinds } from '../../src/api/kinds/kinds.ts'
import type { Kind } from '../../src/api/resource.ts'
import { badChanges, badNames, badSpecs } from '../api/bad-specs.ts'
import { describeWithApiServer, namespace } from '../support/api-server.ts'
import type { TestNamespace } from '../support/kubernetes/test-namespace.ts'
import { dryRun, dryRunChange, type Verdict } from './dry-run.ts'

/**
 * The messages of all rules, longest first. The API server repeats them literally; its messages about the schema are
 * its own.
 */
const messages = (() => {
  const found: string[] = []
  JSON.stringify(kinds, (key, value) => {
    if (key === 'message' && typeof value === 'string') found.push(value)
    return value
  })
  return found.sort((a, b) => b.length - a.length)
})()

/** `problem` is Waybill's message: `spec.delivery.timeout: must be …, found "5 parsecs"`. */
const expectSameProblem = (verdict: Verdict, problem: string): void => {
  if ('spec' in verdict) throw new Error(`The API server accepted it, although ${problem}`)
  const [field = ''] = problem.split(': ')
  const rule = messages.find((message) => problem.startsWith(`${field}: ${message}`))
  if (rule !== undefined) {
    const [text, ...more] = verdict.causes.map(
      (cause) => `${cause.field.replace(/\[([a-z]+)\]/, '.$1')}: ${cause.message}`,
    )
    expect([text?.startsWith(field), text?.endsWith(rule)]).toEqual([true, true])
    // If one URL breaks several rules, Waybill reports the first.
    expect(more.filter((other) => !other.startsWith(field))).toEqual([])
  } else {
    // If the whole specification is missing, the API server does not report its fields.
    const named = verdict.refused.includes(field) || verdict.refused.includes('spec: Required value')
    expect([verdict.refused, named]).toEqual([verdict.refused, true])
  }
}

describeWithApiServer('the CRDs on an API server', () => {
  let own: TestNamespace
  beforeAll(async () => {
    own = await namespace()
  })
  afterAll(() => own.drop())

  test.each(badSpecs)('the CRDs refuse %s and name the field', async (_what, kind, spec, problem) => {
    expectSameProblem(await dryRun(own.name, kind, spec), problem)
  })

  test.each(badChanges)('the CRDs refuse a change of %s', async (_what, kind, spec, old, problem) => {
    expectSameProblem(await dryRunChange(own.name, kind, old, spec), problem)
  })

  test.each(badNames)('the CRDs accept names of 173 characters and refuse names of 174: $kind', async (kind, spec) => {
    expect(await dryRun(own.name, kind, spec, 'x'.repeat(173))).toHaveProperty('spec')
    expect(await dryRun(own.name, kind, spec, 'x'.repeat(174))).toMatchObject({
      causes: [{ field: 'metadata.name', message: expect.stringContaining('must have at most 173 characters') }],
    })
  })

  test('the CRDs do not repeat the password of a URL in the refusal', async () => {
    const [, kind, spec] = badSpecs.find(([what]) => what === 'a password') ?? []
    expect(JSON.stringify(await dryRun(own.name, kind as Kind, spec))).not.toContain('hunter2')
  })
})
