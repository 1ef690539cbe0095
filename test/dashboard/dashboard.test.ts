import { readFileSync } from 'node:fs'
import { parse } from 'yaml'
import { createMetrics } from '../../src/telemetry/metrics.ts'
import { textOf } from '../docs/pages.ts'
import { dashboard, metricsIn, queries, shown } from './panels.ts'
import { keda } from './scaled-objects.ts'

test('every panel has a unit, a place of its own and a description that leads to a heading of docs/operations.md', () => {
  const headings = [...textOf('docs/operations.md').matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\w -]/g, '')
      .replaceAll(' ', '-'),
  )
  const unexplained = shown.filter(({ description = '', fieldConfig }) => {
    const anchor = /See docs\/operations\.md#([\w-]+)$/.exec(description)?.[1]
    return anchor === undefined || !headings.includes(anchor) || fieldConfig?.defaults.unit === undefined
  })
  expect(unexplained.map(({ title }) => title)).toEqual([])
  const cells = dashboard.panels.flatMap(({ gridPos: { x, y, w, h } }) =>
    Array.from({ length: w * h }, (_, cell) => `${x + (cell % w)} ${y + Math.floor(cell / w)}`),
  )
  expect(new Set(cells).size).toBe(cells.length)
  expect(Math.max(...dashboard.panels.map(({ gridPos: { x, w } }) => x + w))).toBe(24)
  expect(new Set(dashboard.panels.map(({ id }) => id)).size).toBe(dashboard.panels.length)
})

test('a number is that of now and not the last of its series, in colours of its own: those of Grafana are red from 80', () => {
  const stats = shown.filter(({ type }) => type === 'stat')
  expect(stats.filter(({ fieldConfig }) => !fieldConfig?.defaults.thresholds).map(({ title }) => title)).toEqual([])
  const numbers = shown.filter(({ type }) => type === 'stat' || type === 'table')
  expect(numbers.filter(({ targets = [] }) => !targets.every(({ instant }) => instant)).map(({ id }) => id)).toEqual([])
})

test('every metric is on the dashboard, and the dashboard and the ScaledObjects name no others', async () => {
  const all = await createMetrics().registry.getMetricsAsJSON()
  const names = all.map(({ name }) => name).filter((name) => name.startsWith('waybill_'))
  const onPanels = new Set(queries.flatMap(({ expression }) => metricsIn(expression)))
  expect(names.filter((name) => !onPanels.has(name))).toEqual([])
  const variables = dashboard.templating.list.flatMap(({ query }) => metricsIn(query))
  const used = [...onPanels, ...variables, ...keda.flatMap(({ expression }) => metricsIn(expression))]
  expect(used.filter((name) => !names.includes(name))).toEqual([])
})

test('the ScaledObjects are examples for the Deployments that there are', () => {
  const names = keda.map(({ file }) => parse(readFileSync(file, 'utf8')).spec.scaleTargetRef.name)
  expect(names.sort()).toEqual(['billing', 'waybill-dispatcher'])
})

test('a ScaledObject does not take metrics that are gone for messages that are gone', () => {
  for (const { file } of keda) {
    const { fallback, triggers } = parse(readFileSync(file, 'utf8')).spec
    expect(triggers[0].metadata.ignoreNullValues).toBe('false')
    expect(fallback.behavior).toBe('currentReplicasIfHigher')
  }
})
