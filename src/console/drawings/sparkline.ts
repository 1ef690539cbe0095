import { html } from 'hono/html'
import type { LastHour } from '../../delivery/last-hour.ts'
import { columnsOf, linePath, type Scale, stepsPath } from './steps.ts'

export type SparklineOptions = {
  /** `row` is one of many on a page: two minutes a column. `large` stands alone: one minute a column. */
  readonly size?: 'row' | 'large'
}

const sizes = {
  row: { columns: 30, width: 4, height: 24 },
  large: { columns: 60, width: 10, height: 90 },
} as const

/**
 * The last hour of a subscription: how much was delivered as bars, failed attempts on top of them, the backlog as a line on a scale
 * of its own. `undefined` is an hour in which nothing happened. Colours come from {@link drawingsStyle}.
 */
export const sparkline = (hour: LastHour | undefined, { size = 'row' }: SparklineOptions = {}) => {
  const { columns, width, height } = sizes[size]
  const [all, classes] = [columns * width, size === 'row' ? 'spark' : 'spark large']
  if (hour === undefined) {
    return html`<svg class="${classes}" viewBox="0 0 ${all} ${height}" role="img"><title>Last hour: no deliveries</title><path class="ground" d="M0 ${height - 0.5}H${all}"/></svg>`
  }
  const delivered = columnsOf(hour.delivered, columns, 'sum')
  const failed = columnsOf(hour.failed, columns, 'sum')
  const backlog = columnsOf(hour.backlog, columns, 'latest')
  const most = Math.max(1, ...delivered.map((value, at) => (value ?? 0) + (failed[at] ?? 0)))
  const scale: Scale = { width, height, most }
  const waited = { width, height, most: Math.max(1, ...backlog.map((value) => value ?? 0)) }
  const known = columns - backlog.filter((value) => value === null).length
  const paths = [
    ['ground', `M${(columns - known) * width} ${height - 0.5}H${all}`],
    ['delivered', stepsPath(delivered, scale)],
    ['failed', stepsPath(failed, scale, delivered)],
    ['backlog', backlog.some((value) => (value ?? 0) > 0) ? linePath(backlog, waited) : ''],
  ] as const
  return html`<svg class="${classes}" viewBox="0 0 ${all} ${height}" preserveAspectRatio="none" role="img"><title>${hourText(hour)}</title>${paths
    .filter(([, data]) => data !== '')
    .map(([name, data]) => html`<path class="${name}" d="${data}"/>`)}</svg>`
}

/** The same in words. */
export const hourText = (hour: LastHour): string => {
  const { since, delivered, failed, backlog } = wordsOf(hour)
  return `${since}: ${[delivered, failed, ...backlog].join(', ')}`
}

/** The same in words, with the colour of each: what belongs below a large one. */
export const hourCaption = (hour: LastHour | undefined) => {
  if (hour === undefined) return html`Last hour: no deliveries`
  const { since, delivered, failed, backlog } = wordsOf(hour)
  const keys = [['delivered', delivered], ['failed', failed], ...backlog.map((text) => ['backlog', text])]
  return html`${since} ${keys.map(([name, text]) => html` <span class="key ${name}"></span>${text}`)}`
}

const wordsOf = ({ delivered, failed, backlog }: LastHour) => {
  const known = backlog.filter((value) => value !== null)
  const waiting = (known.at(-1) ?? 0).toLocaleString('en')
  const most = known.reduce((a, b) => Math.max(a, b), 0)
  return {
    since: known.length === backlog.length ? 'Last hour' : `Last ${known.length} min`,
    delivered: `${sumText(delivered)} delivered`,
    failed: `${sumText(failed)} failed attempts`,
    backlog: most === 0 ? [] : [`${waiting} waiting now and ${most.toLocaleString('en')} at most`],
  }
}

const sumText = (values: readonly (number | null)[]): string =>
  values.reduce<number>((sum, value) => sum + (value ?? 0), 0).toLocaleString('en')
