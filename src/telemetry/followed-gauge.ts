import { Gauge, type GaugeConfiguration, type LabelValues } from 'prom-client'

type Read = () => number
type Followed<L extends string> = { readonly labels: LabelValues<L>; readonly reads: Set<Read> }

/**
 * A gauge whose values are asked for when it is read, so that what changes with every message costs nothing. Where several are
 * followed with the same labels, as while one worker takes the place of another, it is their sum or the most of them.
 */
export class FollowedGauge<L extends string> {
  readonly #followed = new Map<string, Followed<L>>()
  readonly #gauge: Gauge<L>
  readonly #together: (values: number[]) => number

  constructor(how: 'sum' | 'most', configuration: Omit<GaugeConfiguration<L>, 'collect'>) {
    this.#together = how === 'sum' ? sum : (values) => Math.max(...values)
    this.#gauge = new Gauge({ ...configuration, collect: () => this.#collect() })
  }

  /** Asks `read` from now on, until the returned function is called. */
  follow(labels: LabelValues<L>, read: Read): () => void {
    const key = JSON.stringify(labels)
    const followed = this.#followed.get(key) ?? { labels, reads: new Set() }
    followed.reads.add(read)
    this.#followed.set(key, followed)
    return () => {
      followed.reads.delete(read)
      if (followed.reads.size === 0 && this.#followed.get(key) === followed) this.remove(labels)
    }
  }

  remove(labels: LabelValues<L>): void {
    this.#followed.delete(JSON.stringify(labels))
    this.#gauge.remove(labels)
  }

  #collect(): void {
    for (const { labels, reads } of this.#followed.values()) {
      this.#gauge.set(labels, this.#together([...reads].map((read) => read())))
    }
  }
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0)
