import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { chart } from '../support/chart.ts'

type Position = { readonly x: number; readonly y: number; readonly w: number; readonly h: number }

export type Panel = {
  readonly id: number
  readonly type: 'row' | 'stat' | 'table' | 'timeseries'
  readonly title: string
  readonly description?: string
  readonly gridPos: Position
  readonly fieldConfig?: { readonly defaults: { readonly unit?: string; readonly thresholds?: object } }
  readonly targets?: readonly { readonly refId: string; readonly expr: string; readonly instant?: boolean }[]
}

type Variable = { readonly name: string; readonly query: string }

type Dashboard = { readonly panels: readonly Panel[]; readonly templating: { readonly list: readonly Variable[] } }

export const dashboard: Dashboard = JSON.parse(readFileSync(join(chart, 'dashboard.json'), 'utf8'))

/** Panels that show something. */
export const shown: readonly Panel[] = dashboard.panels.filter(({ type }) => type !== 'row')

/** A query as Grafana sends it when everything is chosen in each variable. */
export const sent = (query: string): string =>
  query.replaceAll('$__rate_interval', '1m').replaceAll(/\$(namespace|subscription|broker)\b/g, '.*')

/** One query of a panel, with a name for reports: `row / panel A`. */
export type Query = { readonly name: string; readonly expression: string }

export const queries: readonly Query[] = shown.flatMap(({ id, title, targets = [] }) =>
  targets.map(({ refId, expr }) => {
    const row = dashboard.panels.find((panel) => panel.type === 'row' && panel.id === Math.floor(id / 100) * 100)
    return { name: `${row?.title} / ${title} ${refId}`, expression: sent(expr) }
  }),
)

/** The names of Waybill's metrics in an expression; those of histograms without the ends of their series. */
export const metricsIn = (expression: string): readonly string[] =>
  [...expression.matchAll(/\bwaybill_\w+/g)].map(([name]) => name.replace(/_(bucket|sum|count)$/, ''))
