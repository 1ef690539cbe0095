import type { Panel } from './panels.ts'

/** One series of a panel: its name in the legend, and its points as seconds and values. */
export type Line = { readonly name: string; readonly points: readonly (readonly [number, number])[] }

/** What a panel shows: lines, of which a stat shows the last values, or the rows of a table. */
export type Drawn = { readonly panel: Panel; readonly lines: readonly Line[]; readonly cells: readonly string[][] }

const column = 36
const row = 22
const colors = ['#3274d9', '#d9822b', '#2f9e6e', '#c4455f', '#7d5bd0', '#8a8a2e', '#2a9fb0', '#777']

const text = (value: string): string => value.replaceAll('&', '&amp;').replaceAll('<', '&lt;')

const short = (value: number): string => {
  const size = Math.abs(value)
  if (size >= 1e6) return `${(value / 1e6).toFixed(1)}M`
  if (size >= 1e3) return `${(value / 1e3).toFixed(1)}k`
  return String(Number(value.toPrecision(2 + Number(size >= 100))))
}

const units: Readonly<Record<string, (value: number) => string>> = {
  s: (value) => (value !== 0 && value < 1 ? `${short(value * 1_000)} ms` : `${short(value)} s`),
  reqps: (value) => `${short(value)}/s`,
  ops: (value) => `${short(value)}/s`,
  percentunit: (value) => `${short(value * 100)} %`,
  bytes: (value) => `${short(value / 2 ** 20)} MiB`,
}

const shownAs = ({ fieldConfig }: Panel): ((value: number) => string) =>
  units[fieldConfig?.defaults.unit ?? ''] ?? short

const graph = ({ panel, lines }: Drawn): string => {
  const [width, height] = [panel.gridPos.w * column - 70, panel.gridPos.h * row - 84]
  const all = lines.flatMap(({ points }) => points)
  const times = all.map(([time]) => time)
  const [from, to] = [Math.min(...times), Math.max(...times)]
  const most = Math.max(...all.map(([, value]) => value)) || 1
  const x = (time: number) => (((time - from) / (to - from || 1)) * width).toFixed(1)
  const y = (value: number) => (height - (value / most) * height).toFixed(1)
  const paths = lines.map(
    ({ points }, index) =>
      `<polyline fill="none" stroke-width="1.5" stroke="${colors[index % colors.length]}" points="${points
        .map(([time, value]) => `${x(time)},${y(value)}`)
        .join(' ')}"/>`,
  )
  const axis = `<line x2="${width}" y1="${height}" y2="${height}" stroke="#bbb"/>
    <text x="-5" y="8" text-anchor="end">${shownAs(panel)(most)}</text><text x="-5" y="${height}" text-anchor="end">0</text>`
  const names = lines.slice(0, 8).map(({ name }, index) => `<i style="color:${colors[index]}">━ ${text(name)}</i>`)
  return `<svg shape-rendering="crispEdges" width="${width + 55}" height="${height + 8}"><g transform="translate(50 4)">${axis}${paths.join('')}</g></svg>
    <div class="legend">${names.join(' ')}</div>`
}

const stat = ({ panel, lines }: Drawn): string =>
  lines
    .slice(0, 3)
    .map(({ name, points }) => `<p><b>${shownAs(panel)(points.at(-1)?.[1] ?? 0)}</b> ${text(name)}</p>`)
    .join('')

const table = ({ cells }: Drawn): string =>
  `<table>${cells
    .slice(0, 7)
    .map((line) => `<tr>${line.map((cell) => `<td>${text(cell)}</td>`).join('')}</tr>`)
    .join('')}</table>`

const style = `body{margin:0;background:#f4f5f5;font:11px sans-serif;color:#333;position:relative;width:${24 * column}px}
  section{position:absolute;box-sizing:border-box;background:#fff;border:1px solid #ddd;padding:5px 8px;overflow:hidden}
  h2{font-size:12px;margin:0 0 6px} p{margin:2px 0;white-space:nowrap} b{font-size:20px} td{padding:1px 10px 1px 0;font-size:11px}
  .legend{max-height:28px;overflow:hidden} i{font-style:normal;margin-right:6px;white-space:nowrap} svg{font-size:9px}`

/** The panels of a row as a page, and how high it is. */
export const draw = (panels: readonly Drawn[]): { readonly html: string; readonly height: number } => {
  const top = Math.min(...panels.map(({ panel }) => panel.gridPos.y))
  const height = Math.max(...panels.map(({ panel }) => panel.gridPos.y + panel.gridPos.h - top)) * row
  const sections = panels.map((each) => {
    const { type, title, gridPos } = each.panel
    const body =
      each.lines.length + each.cells.length === 0
        ? 'No data'
        : { stat, table, timeseries: graph, row: stat }[type](each)
    const [left, width] = [gridPos.x * column, gridPos.w * column - 4]
    return `<section style="left:${left}px;top:${(gridPos.y - top) * row}px;width:${width}px;height:${gridPos.h * row - 4}px">
      <h2>${text(title)}</h2>${body}</section>`
  })
  return { html: `<meta charset="utf-8"><style>${style}</style>${sections.join('')}`, height }
}
