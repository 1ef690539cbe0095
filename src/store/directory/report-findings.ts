import { type Finding, findingText, placeText } from './finding.ts'

type Say = (fields: object, message: string) => void

/** Says what is wrong with the manifests, each thing once for as long as it lasts, and when all is well again. */
export const createFindingReport = (log: { readonly info: Say; readonly error: Say }) => {
  let said = new Set<string>()
  let faulty = false

  return (findings: readonly Finding[], skipped: readonly Finding[]): void => {
    const before = said
    said = new Set([...findings, ...skipped].map(findingText))
    for (const finding of findings) {
      const text = findingText(finding)
      if (!before.has(text)) log.error({ problem: text }, 'Refused a manifest')
    }
    for (const finding of skipped) {
      if (!before.has(findingText(finding))) log.info({ at: placeText(finding) }, finding.problem.message)
    }
    if (faulty && findings.length === 0) log.info({}, 'All manifests are in order again')
    faulty = findings.length > 0
  }
}
