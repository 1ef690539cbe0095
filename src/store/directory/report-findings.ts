import type { Log } from '../log.ts'
import { type Finding, findingText, placeText } from './finding.ts'

/** Logs the problems of the manifests, each once for as long as it lasts, and when there are none any more. */
export const createFindingReport = (log: Pick<Log, 'info' | 'error'>) => {
  let logged = new Set<string>()
  let faulty = false

  return (findings: readonly Finding[], skipped: readonly Finding[]): void => {
    const before = logged
    logged = new Set([...findings, ...skipped].map(findingText))
    for (const finding of findings) {
      const text = findingText(finding)
      if (!before.has(text)) log.error({ problem: text }, 'Refused a manifest')
    }
    for (const finding of skipped) {
      if (!before.has(findingText(finding))) log.info({ at: placeText(finding) }, finding.problem.message)
    }
    if (faulty && findings.length === 0) log.info({}, 'All manifests are valid again')
    faulty = findings.length > 0
  }
}
