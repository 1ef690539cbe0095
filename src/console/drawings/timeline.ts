import { html } from 'hono/html'

/** What a dead letter says of its attempts; times are ISO 8601. */
export type Attempts = {
  /** The last ones, the oldest first. */
  readonly lastAttempts: readonly { readonly time: string; readonly result: string; readonly tookMs: number }[]
  /** How many there were. */
  readonly attempts: number
  readonly firstAttempt?: string
  readonly deadLettered?: string
}

type Step = {
  readonly time: string
  readonly what: string
  readonly detail: string
  readonly kind: 'failed' | 'passed' | 'end' | 'earlier'
  /** The wait before it. */
  readonly wait: string
  readonly waitMs: number
}

/** No wait that anybody would look at. */
const soonMs = 100
const [left, top, width] = [92, 14, 320]

/**
 * The attempts of a dead letter from top to bottom: when, how they ended, and how long the wait was before each, which is longer
 * where the line is. Empty where nothing is known of them.
 */
export const timeline = (letter: Attempts) => {
  const steps = stepsOf(letter)
  if (steps.length === 0) return html``
  let y = top
  const drawn = steps.map((step, at) => {
    const gap = at === 0 ? 0 : gapOf(step.waitMs)
    const from = y
    y += gap
    return html`${
      gap === 0
        ? ''
        : html`<path class="wait" d="M${left} ${from + 7}V${y - 7}"/><text class="wait" x="${left + 16}" y="${from + gap / 2 + 4}">${step.wait}</text>`
    }<text class="time" x="${left - 14}" y="${y + 4}">${step.time}</text>${dot(step.kind, y)}<text x="${left + 16}" y="${y + 4}"><tspan class="${step.kind}">${step.what}</tspan> <tspan class="wait">${step.detail}</tspan></text>`
  })
  return html`<svg class="timeline" viewBox="0 0 ${width} ${y + top}" width="${width}" height="${y + top}" role="img"><title>${textOf(steps)}</title>${drawn}</svg>`
}

const dot = (kind: Step['kind'], y: number) =>
  kind === 'end'
    ? html`<path class="end" d="M${left - 5} ${y - 5}l10 10m0-10l-10 10"/>`
    : html`<circle class="${kind}" cx="${left}" cy="${y}" r="5"/>`

/** From 30 to 66 for what took up to a day. */
const gapOf = (waitMs: number): number => 30 + Math.round(Math.min(36, 7.3 * Math.log10(1 + waitMs / 1000)))

const stepsOf = ({ lastAttempts, attempts, firstAttempt, deadLettered }: Attempts): Step[] => {
  const steps: Step[] = []
  let before: number | undefined
  const add = (at: number, endedAt: number, step: Pick<Step, 'what' | 'detail' | 'kind'>): void => {
    const waitMs = before === undefined ? 0 : Math.max(0, at - before)
    steps.push({ ...step, time: clock(at), waitMs, wait: waitMs < soonMs ? '' : `${span(waitMs)} later` })
    before = endedAt
  }
  const earlier = attempts - lastAttempts.length
  const first = Date.parse(firstAttempt ?? '')
  if (earlier > 0 && !Number.isNaN(first)) {
    const what = earlier === 1 ? 'One attempt more' : `${earlier} attempts more`
    add(first, first, { what, detail: 'since then', kind: 'earlier' })
  }
  for (const { time, result, tookMs } of lastAttempts) {
    const at = Date.parse(time)
    if (Number.isNaN(at)) continue
    const kind = /^2\d\d$/.test(result) ? 'passed' : 'failed'
    add(at, at + tookMs, { what: result, detail: `after ${span(tookMs)}`, kind })
  }
  const end = Date.parse(deadLettered ?? '')
  if (!Number.isNaN(end)) add(end, end, { what: 'Dead-lettered', detail: '', kind: 'end' })
  return steps
}

const textOf = (steps: readonly Step[]): string =>
  steps
    .map(({ time, what, detail, wait }, at) =>
      `${at === 0 || wait === '' ? '' : `${wait}, `}${time}: ${what} ${detail}`.trim(),
    )
    .join('; ')

const clock = (ms: number): string => new Date(ms).toISOString().slice(11, 19)

const units = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['min', 60_000],
  ['s', 1_000],
] as const

/** A length of time in two digits or three, as `1.5 min`. */
const span = (ms: number): string => {
  const [unit, size] = units.find((each) => ms >= each[1]) ?? ['ms', 1]
  const value = ms / size
  return `${value < 10 && size > 1 ? Math.round(value * 10) / 10 : Math.round(value)} ${unit}`
}
