/**
 * node test/dashboard/pictures.ts: makes docs/images/dashboard-*.png, a picture of each row of the dashboard from a run
 * of half a minute. The queries are those of the dashboard, answered by Prometheus; the drawing is not Grafana's.
 */
import { statSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { chart } from '../support/chart.ts'
import { startChromium } from '../support/chromium.ts'
import { jobOf } from '../support/manifests.ts'
import { startPrometheus } from '../support/prometheus-server.ts'
import { event, openBusyShop } from './busy-shop.ts'
import { type Drawn, draw, type Line } from './draw.ts'
import { dashboard, type Panel, sent, shown } from './panels.ts'

const folder = new URL('../../docs/images/', import.meta.url).pathname
const seconds = 30
const mostBytes = 80_000

await using closing = new AsyncDisposableStack()
const shop = await openBusyShop(closing)
const waybill = await shop.run()
const prometheus = await startPrometheus(waybill.server, join(chart, 'alerts.yaml'))
closing.defer(prometheus.stop)
await shop.ready(waybill, 'mailing')
const begin = Date.now() / 1_000
for (let second = 0; second < seconds; second++) {
  if (second === 20) await shop.producer.channel.deleteQueue('shop.lost')
  if (second === 25) shop.folder.write('job', [jobOf('Discard', 'billing', { reason: 'of a picture' })])
  const count = 6 + Math.round(5 * Math.sin(second / 6))
  await shop.producer.publish(
    'shop.orders',
    Array.from({ length: count }, () => event('order.placed')),
  )
  if (second % 10 === 0) await shop.producer.publish('shop.orders', [event('order.unknown')])
  await delay(1_000)
}

type Target = NonNullable<Panel['targets']>[number] & { readonly legendFormat?: string }
type Range = { data: { result: { metric: Record<string, string>; values: [number, string][] }[] } }

/** Rates over ten seconds, because the run is so short. */
const expressionOf = ({ expr }: Target): string => sent(expr.replaceAll('$__rate_interval', '10s'))

const linesOf = async (target: Target): Promise<Line[]> => {
  const range = { start: String(begin), end: String(Date.now() / 1_000), step: '1' }
  const body = new URLSearchParams({ query: expressionOf(target), ...range })
  const answer = (await (await fetch(`${prometheus.url}/api/v1/query_range`, { method: 'POST', body })).json()) as Range
  return answer.data.result.map(({ metric, values }) => ({
    name: (target.legendFormat ?? '').replaceAll(/\{\{(\w+)\}\}/g, (_, label: string) => metric[label] ?? ''),
    points: values.map(([time, value]) => [time, Number(value)] as const).filter(([, value]) => Number.isFinite(value)),
  }))
}

const cellsOf = async (target: Target): Promise<string[][]> =>
  (await prometheus.query(expressionOf(target))).map(({ metric, value }) => [
    ...Object.entries(metric).flatMap(([name, label]) => (name === '__name__' ? [] : [label])),
    value[1],
  ])

const drawnOf = async (panel: Panel): Promise<Drawn> => {
  const { targets = [], type } = panel
  const lines = type === 'table' ? [] : (await Promise.all(targets.map(linesOf))).flat()
  const cells = type === 'table' ? (await Promise.all(targets.map(cellsOf))).flat() : []
  return { panel, lines: lines.filter(({ points }) => points.length > 0), cells }
}

const rows = dashboard.panels.filter(({ type }) => type === 'row')
const drawn = await Promise.all(shown.map(drawnOf))
const browser = closing.adopt(await startChromium(), (started) => started.close())
for (const { id, title } of rows) {
  const { html, height } = draw(drawn.filter(({ panel }) => panel.id > id && panel.id < id + 100))
  const page = await browser.newPage({ viewport: { width: 24 * 36, height }, javaScriptEnabled: false })
  await page.setContent(html)
  const path = join(folder, `dashboard-${title.toLowerCase().replaceAll(' ', '-')}.png`)
  await page.screenshot({ path })
  const { size } = statSync(path)
  process.stdout.write(`${path} ${Math.round(size / 1024)} kB\n`)
  if (size > mostBytes) throw new Error(`${path} is too large`)
}
