import type { Problem } from '../api/schema/problem.ts'
import { type Finding, findingText, placeText } from '../store/directory/finding.ts'
import { createLoader } from '../store/directory/load.ts'
import { Failure } from './failure.ts'
import { referenceFindings } from './lint-references.ts'
import { doubtfulKeyFindings } from './lint-routing-keys.ts'
import { secretFindings } from './lint-secrets.ts'

/** What `waybill lint` prints, and how many problems it found. */
export type Linted = {
  /** One line a problem or note, then a summary. */
  readonly lines: readonly string[]
  readonly problems: number
}

/**
 * Checks manifests without a broker: each alone, and all of them together. Secrets that are not among the files,
 * kinds that are not Waybill's, and what is valid but hardly meant, are noted and are not problems.
 *
 * @throws Failure where there is no file
 */
export const lint = async (paths: readonly string[], instance: string): Promise<Linted> => {
  const loaded = await createLoader(paths).load()
  if (loaded.files.length === 0 && loaded.findings.length === 0) {
    throw new Failure(`${paths.join(', ')}: no .yaml, .yml or .json file found`)
  }
  const secrets = secretFindings(loaded.items)
  const problems = [...loaded.findings, ...referenceFindings(loaded.items, instance), ...secrets.problems]
  const notes = [...loaded.skipped, ...secrets.missing, ...doubtfulKeyFindings(loaded.items)]
  const count = loaded.items.length
  const summary = `${amount(count, 'manifest')} in ${amount(loaded.files.length, 'file')}: ${
    problems.length === 0 ? 'no problems' : amount(problems.length, 'problem')
  }`
  const lines = [...sorted(problems).map(findingText), ...sorted(notes).map(noteText), summary]
  return { lines, problems: problems.length }
}

const noteText = (finding: Finding): string => {
  const { field, message }: Problem = finding.problem
  return [
    placeText(finding),
    'note',
    ...(finding.resource ? [finding.resource] : []),
    ...(field ? [field] : []),
    message,
  ].join(': ')
}

const sorted = (findings: readonly Finding[]): Finding[] =>
  findings.toSorted((a, b) => (a.file === b.file ? (a.line ?? 0) - (b.line ?? 0) : a.file < b.file ? -1 : 1))

const amount = (count: number, what: string): string => `${count} ${what}${count === 1 ? '' : 's'}`
