import { median, tableText } from './figures.ts'
import type { Figures } from './measure.ts'

/** What one contender needed, in each round. */
export type Result = { readonly name: string; readonly rounds: readonly Figures[] }

const columns = { cpuUs: 'CPU µs/message', perSecond: 'msg/s', peakRssMiB: 'peak RSS MiB' } as const
const names = Object.keys(columns) as (keyof typeof columns)[]

/** The median of each figure of each contender. */
export const figuresText = (results: readonly Result[]): string =>
  tableText([
    ['', ...Object.values(columns)],
    ...results.map(({ name, rounds }) => [
      name,
      ...names.map((figure) => median(rounds.map((round) => round[figure])).toFixed(figure === 'cpuUs' ? 1 : 0)),
    ]),
  ])

/**
 * The ratio of two results: the median of the ratios of each round, because both ran under the same conditions there.
 */
export const ratioOf = (one: Result, other: Result, figure: keyof Figures): number =>
  median(one.rounds.map((round, at) => round[figure] / (other.rounds[at]?.[figure] ?? Number.NaN)))

export const ratiosText = (one: Result, others: readonly Result[]): string =>
  tableText([
    ['', ...Object.values(columns)],
    ...others.map((other) => [
      `${one.name} / ${other.name}`,
      ...names.map((figure) => ratioOf(one, other, figure).toFixed(2)),
    ]),
  ])
