import { Gauge, type GaugeConfiguration, type LabelValues } from 'prom-client'

type Since<L extends string> = { readonly labels: LabelValues<L>; readonly atMs: number }

/** The age of something in seconds, reckoned when it is read. */
export class AgeGauge<L extends string> {
  readonly #since = new Map<string, Since<L>>()
  readonly #gauge: Gauge<L>

  constructor(configuration: Omit<GaugeConfiguration<L>, 'collect'>) {
    this.#gauge = new Gauge({ ...configuration, collect: () => this.#collect() })
  }

  /** It exists since `atMs`, in ms since 1970; `undefined`: there is none, and its age is 0. */
  setSince(labels: LabelValues<L>, atMs: number | undefined): void {
    this.#since.set(JSON.stringify(labels), { labels, atMs: atMs ?? Number.POSITIVE_INFINITY })
  }

  remove(labels: LabelValues<L>): void {
    this.#since.delete(JSON.stringify(labels))
    this.#gauge.remove(labels)
  }

  reset(): void {
    this.#since.clear()
    this.#gauge.reset()
  }

  #collect(): void {
    const now = Date.now()
    for (const { labels, atMs } of this.#since.values()) this.#gauge.set(labels, Math.max(0, (now - atMs) / 1000))
  }
}
