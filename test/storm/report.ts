import { writeFileSync } from 'node:fs'
import type { Finding } from '../history/check.ts'
import type { Entry, History } from '../history/history.ts'
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
    ...['', '## What happened to the first of them', '', ...fenced(timelinesOf(result))],
    ...['', '## Subscriptions', '', ...fenced(plan.subscriptions.map((one) => JSON.stringify(one)))],
    ...['', '## Steps', '', ...fenced(plan.steps.map(stepText))],
    ...['', '## Again', '', ...fenced([again])],
  ]
  writeFileSync(file, `${lines.join('\n')}\n`)
}

const fenced = (lines: readonly string[]): string[] => ['```', ...(lines.length > 0 ? lines : ['none']), '```']

/** All that is known of the messages of the first findings, in the order of time. */
const timelinesOf = ({ findings, history }: Result): string[] =>
  findings
    .filter(({ id }) => id !== '')
    .slice(0, mostShown)
    .flatMap(({ id, subscription }) => [
      `${id} ${subscription ?? ''}`,
      ...history.entries.flatMap((entry) => lineOf(entry, history, id, subscription) ?? []),
    ])

const lineOf = (entry: Entry, { entries }: History, id: string, subscription?: string): string | undefined => {
  const line = (what: string): string => `${(entry.at / 1_000).toFixed(2).padStart(9)}  ${what}`
  const isOther = (whose: string | undefined) =>
    subscription !== undefined && whose !== undefined && whose !== subscription
  if (entry.is === 'disturbed') {
    const isElsewhere = subscription !== undefined && entry.subscriptions?.includes(subscription) === false
    return isElsewhere ? undefined : line(`${entry.what}, until ${(entry.until / 1_000).toFixed(2)}`)
  }
  if (entry.is === 'answered') {
    const to = entries.find((one) => one.is === 'requested' && one.request === entry.request)
    if (to?.is !== 'requested' || to.id !== id || isOther(to.subscription)) return undefined
    return line(`request ${entry.request} answered ${entry.status}`)
  }
  if (entry.id !== id) return undefined
  if (entry.is === 'requested')
    return isOther(entry.subscription) ? undefined : line(`request ${entry.request}, attempt ${entry.attempt}`)
  if (entry.is === 'found') return isOther(entry.subscription) ? undefined : line(`found in ${entry.queue}`)
  return line(entry.is === 'published' ? `published to ${entry.exchange} as ${entry.routingKey}` : entry.is)
}
