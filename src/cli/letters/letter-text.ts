import { age } from '../../api/age.ts'
import { visible } from '../../api/visible.ts'
import type { Found } from '../../dispatcher/data/dead-letters.ts'
import { aligned } from '../table.ts'

type Attempt = Found['letter']['lastAttempts'][number]

/** One dead letter for people: what it is, why it is here, its attempts as a time line, its headers. */
export const letterText = ({ letter, copies }: Omit<Found, 'body'>): string => {
  const { headers, lastAttempts, ...fields } = letter
  const rows = Object.entries(fields).map(([name, value]) => [`${name}:`, visible(String(value))])
  if (copies > 1) rows.push(['copies:', `${copies}, from a crash`])
  const shownHeaders = headers.map((header) => [
    '',
    `${visible(header.name)}:`,
    'masked' in header ? '(masked)' : visible(valueText(header.value)),
  ])
  return [
    aligned(rows),
    lastAttempts.length > 0 ? `time line:\n${aligned(timeLine(letter))}` : '',
    shownHeaders.length > 0 ? `headers:\n${aligned(shownHeaders)}` : '',
  ].join('')
}

/** A row for each thing that happened: when, how long after the one before, what, and how long it took. */
const timeLine = ({ attempts, firstAttempt, lastAttempts, deadLettered }: Found['letter']): string[][] => {
  const [oldest] = lastAttempts
  const isCut = firstAttempt !== undefined && oldest !== undefined && Date.parse(firstAttempt) < Date.parse(oldest.time)
  const unseen = attempts - lastAttempts.length
  const rows = isCut ? [['', visible(firstAttempt), '', 'first attempt', '']] : []
  if (isCut && unseen > 1) rows.push(['', '…', '', `${unseen - 1} more attempts, of which no more is known`, ''])
  let endedMs: number | undefined
  for (const attempt of lastAttempts) {
    rows.push([
      '',
      visible(attempt.time),
      waited(endedMs, attempt.time),
      resultText(attempt),
      `took ${took(attempt.tookMs)}`,
    ])
    endedMs = Date.parse(attempt.time) + attempt.tookMs
  }
  if (deadLettered !== undefined)
    rows.push(['', visible(deadLettered), waited(endedMs, deadLettered), 'dead-lettered', ''])
  return rows
}

const resultText = ({ result }: Attempt): string => (/^\d+$/.test(result) ? `answered ${result}` : visible(result))

const waited = (sinceMs: number | undefined, until: string): string => {
  const ms = sinceMs === undefined ? Number.NaN : Date.parse(until) - sinceMs
  return ms >= 0 ? `+${took(ms)}` : ''
}

const took = (ms: number): string =>
  ms < 1_000 ? `${ms}ms` : ms < 10_000 ? `${(ms / 1_000).toFixed(1)}s` : age(ms / 1_000)

const valueText = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value))
