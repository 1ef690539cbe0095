import { Gauge, type GaugeConfiguration, type LabelValues } from 'prom-client'

/** Messages with one delay that were delayed about together, and when the last of them comes back. In ms since 1970. */
type Group = { readonly begun: number; until: number; count: number }

/** A group is that part of its delay wide. */
const groupsOfDelay = 32

/**
 * Counts messages that were delayed until they are due. It forgets by time and not by what comes back, which other processes
 * may see: so it is right in sum over all processes, and a restart forgets no more than what is delayed at that moment.
 */
export class DelayedMessages {
  readonly #byDelay = new Map<number, Group[]>()

  add(delayMs: number, now: number): void {
    const groups = this.#byDelay.get(delayMs) ?? []
    if (groups.length === 0) this.#byDelay.set(delayMs, groups)
    const last = groups.at(-1)
    if (last && now - last.begun <= delayMs / groupsOfDelay) {
      last.until = now + delayMs
      last.count += 1
      return
    }
    dropDue(groups, now)
    groups.push({ begun: now, until: now + delayMs, count: 1 })
  }

  count(now: number): number {
    let count = 0
    for (const groups of this.#byDelay.values()) {
      dropDue(groups, now)
      for (const group of groups) count += group.count
    }
    return count
  }
}

const dropDue = (groups: Group[], now: number): void => {
  while (groups[0] && groups[0].until <= now) groups.shift()
}

/** How many messages are delayed, reckoned when it is read. */
export class DelayedGauge<L extends string> {
  readonly #delayed = new Map<string, { readonly labels: LabelValues<L>; readonly messages: DelayedMessages }>()
  readonly #gauge: Gauge<L>

  constructor(configuration: Omit<GaugeConfiguration<L>, 'collect'>) {
    this.#gauge = new Gauge({ ...configuration, collect: () => this.#collect() })
  }

  /** Where to count those with these labels, who counted them before notwithstanding. */
  of(labels: LabelValues<L>): DelayedMessages {
    const key = JSON.stringify(labels)
    const found = this.#delayed.get(key) ?? { labels, messages: new DelayedMessages() }
    this.#delayed.set(key, found)
    return found.messages
  }

  remove(labels: LabelValues<L>): void {
    this.#delayed.delete(JSON.stringify(labels))
    this.#gauge.remove(labels)
  }

  #collect(): void {
    const now = Date.now()
    for (const { labels, messages } of this.#delayed.values()) this.#gauge.set(labels, messages.count(now))
  }
}
