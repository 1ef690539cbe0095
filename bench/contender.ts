import type { Vhost } from '../test/support/vhost.ts'
import type { Sink } from './sink.ts'

/** What a contender runs on: a virtual host of its own, the sink that all share, and a folder for its files. */
export type Stage = {
  readonly vhost: Vhost
  readonly sink: Sink
  readonly folder: string
  readonly inFlight: number
  readonly signal: AbortSignal
}

/** How producers mark the attributes of a CloudEvent: headers with a prefix, or one JSON document. */
export type Style = 'cloudEvents:' | 'ce-' | 'structured'

/** A contender whose queue is declared: where to publish to, and the command that delivers. */
export type Entry = {
  readonly exchange: string
  readonly routingKey: string
  readonly style: Style
  readonly command: readonly [string, ...string[]]
  readonly env?: Readonly<Record<string, string>>
  /** A page that is read once a second, as Prometheus would do. */
  readonly scrape?: string
}

export type Contender = {
  readonly name: string
  enter(stage: Stage): Promise<Entry>
}
