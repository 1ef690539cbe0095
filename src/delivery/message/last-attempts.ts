import type { Ended } from '../attempt/attempt.ts'
import { reasonOf } from '../attempt/outcome.ts'

/** One attempt, as the header `waybill-history` tells it. */
export type PastAttempt = {
  /** When it began, in ms since 1970. */
  readonly begunAt: number
  /** The status code of the answer, or why there was none, as `Timeout`. */
  readonly result: string
  readonly tookMs: number
}

const most = 5
const separator = '; '
const entry = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z) (\d{3}|[A-Z][A-Za-z]{0,30}) (\d{1,10})$/

/** The last five attempts, the newest last. What is not of this form is passed over: a person may have written it. */
export const lastAttemptsOf = (text: string | undefined): PastAttempt[] => {
  const found: PastAttempt[] = []
  for (const part of (text ?? '').slice(0, 1024).split(separator, 2 * most)) {
    const [, time = '', result = '', took] = entry.exec(part) ?? []
    const begunAt = Date.parse(time)
    if (!Number.isNaN(begunAt)) found.push({ begunAt, result, tookMs: Number(took) })
  }
  return found.slice(-most)
}

/** The text of the header with one attempt more; less than 400 bytes. */
export const withAttempt = (before: string | undefined, { attempt, outcome, endedAt }: Ended): string => {
  const result = outcome?.kind === 'answered' ? String(outcome.status) : outcome ? reasonOf(outcome) : 'Unknown'
  const now = { begunAt: attempt.begunAt, result, tookMs: Math.max(0, endedAt - attempt.begunAt) }
  return [...lastAttemptsOf(before), now].slice(-most).map(textOf).join(separator)
}

const textOf = ({ begunAt, result, tookMs }: PastAttempt): string =>
  `${new Date(begunAt).toISOString()} ${result} ${Math.min(tookMs, 9_999_999_999)}`
