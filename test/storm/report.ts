import { writeFileSync } from 'node:fs'
import type { Finding } from '../history/check.ts'
import type { History } from '../history/history.ts'
import { type Plan, stepText } from './plan.ts'
import type { Result } from './storm.ts'

/** How much happened, in a line. */
export const summaryOf = ({ entries }: History): string => {
  const counts = new Map<string, number>()
  for (const { is } of entries) counts.set(is, (counts.get(is) ?? 0) + 1)
  return [...counts].map(([is, count]) => `${count.toLocaleString('en')} ${is}`).join(', ')
}

/** Whether everything was as it should be. */
export const isGood = ({ findings, others }: Result): boolean => findings.length === 0 && others.length === 0

const mostShown = 20

/** What was found, a line each: the first of each kind, and how many there are. */
export const findingLines = ({ findings, others }: Result): string[] => {
  const byFault = new Map<string, Finding[]>()
  for (const finding of findings) byFault.set(finding.fault, [...(byFault.get(finding.fault) ?? []), finding])
  return [
    ...[...byFault].flatMap(([fault, all]) => [
      `${fault}: ${all.length}`,
      ...all.slice(0, mostShown).map(({ text }) => `  ${text}`),
    ]),
    ...others,
  ]
}

/** A report in Markdown, with what is needed to run it again. */
export const writeReport = (file: string, plan: Plan, result: Result, broker: string, again: string): void => {
  const lines = [
    `# Storm ${plan.seed} on RabbitMQ ${broker}`,
    '',
    isGood(result)
      ? 'Nothing was lost, invented, changed or doubled, and everything converged.'
      : '**Something is wrong.**',
    '',
    `${summaryOf(result.history)}, in ${(result.tookMs / 1_000).toFixed(0)} s.`,
    ...['', '## Findings', '', ...fenced(findingLines(result))],
    ...['', '## Subscriptions', '', ...fenced(plan.subscriptions.map((one) => JSON.stringify(one)))],
    ...['', '## Steps', '', ...fenced(plan.steps.map(stepText))],
    ...['', '## Again', '', ...fenced([again])],
  ]
  writeFileSync(file, `${lines.join('\n')}\n`)
}

const fenced = (lines: readonly string[]): string[] => ['```', ...(lines.length > 0 ? lines : ['none']), '```']
