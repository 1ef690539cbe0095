import type { Vhost } from '../test/support/vhost.ts'
import type { Sink } from './sink.ts'

/** What a contender finds: a virtual host for itself, the sink that all share, and a folder for its files. */
export type Stage = {
  readonly vhost: Vhost
  readonly sink: Sink
  readonly folder: string
  readonly inFlight: number
  readonly signal: AbortSignal
}

/** How producers mark the attributes of a CloudEvent: headers with a prefix, or one JSON document. */
export type Style = 'cloudEvents:' | 'ce-' | 'structured'

/** A contender that has declared its queue: where to publish to, and what to start for it to deliver. */
export type Entry = {
  readonly exchange: string
  readonly routingKey: string
  readonly style: Style
  readonly command: readonly [string, ...string[]]
  readonly env?: Readonly<Record<string, string>>
  /** A page to read once a second, as Prometheus would. */
  readonly scrape?: string
}

export type Contender = {
  readonly name: string
  enter(stage: Stage): Promise<Entry>
}
