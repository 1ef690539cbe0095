import { visible } from '../../api/visible.ts'
import type { Found } from '../../dispatcher/data/dead-letters.ts'
import { aligned } from '../table.ts'

/** One dead letter for people: what it is, why it is here, its last attempts, its headers. */
export const letterText = ({ letter, copies }: Omit<Found, 'body'>): string => {
  const { headers, lastAttempts, ...fields } = letter
  const rows = Object.entries(fields).map(([name, value]) => [`${name}:`, visible(String(value))])
  if (copies > 1) rows.push(['copies:', `${copies}, from a crash`])
  const attempts = lastAttempts.map(({ time, result, tookMs }) => ['', visible(time), visible(result), `${tookMs} ms`])
  const shownHeaders = headers.map((header) => [
    '',
    `${visible(header.name)}:`,
    'masked' in header ? '(masked)' : visible(valueText(header.value)),
  ])
  return [
    aligned(rows),
    attempts.length > 0 ? `lastAttempts:\n${aligned(attempts)}` : '',
    shownHeaders.length > 0 ? `headers:\n${aligned(shownHeaders)}` : '',
  ].join('')
}

const valueText = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value))
