/** How a message is told from all others: what its producer wrote into its body or headers. */
export type MessageId = string

/** Digests of bytes, so that a history of large messages stays small. */
export type Content = {
  /** Left out where it is not to be the same, as in a request in structured mode. */
  readonly body?: string
  /** Of each header but Waybill's and the broker's, by name: its type and bytes on the wire. */
  readonly headers?: Readonly<Record<string, string>>
}

/** A time in ms, of the one clock of the recorder. */
type At = { readonly at: number }

/** What a producer sent. */
export type Published = At & {
  readonly is: 'published'
  readonly id: MessageId
  readonly exchange: string
  readonly routingKey: string
  readonly content: Content
}

/** What the broker said of it; `unknown` where the connection broke before. */
export type PublishEnded = At & {
  readonly is: 'confirmed' | 'refused' | 'returned' | 'unknown'
  readonly id: MessageId
}

/** A request that reached a subscriber. `request` is different for each; `subscription` is `namespace/name`. */
export type Requested = At & {
  readonly is: 'requested'
  readonly request: number
  readonly subscription: string
  readonly id: MessageId
  /** From 1. */
  readonly attempt: number
  readonly webhookId: string
  readonly content: Content
}

/** The status that the subscriber answered with; a request without one was cut off, or never answered. */
export type Answered = At & { readonly is: 'answered'; readonly request: number; readonly status: number }

/** A message that was in a queue in the end. */
export type Found = At & {
  readonly is: 'found'
  readonly queue: string
  /** What the queue is for. */
  readonly role: 'source' | 'retry' | 'level' | 'dead-letters' | 'unrouted' | 'other'
  /** Whose it is, `namespace/name`; of a message in a level, the one that it goes back to. */
  readonly subscription?: string
  readonly id: MessageId
  readonly content: Content
}

/** A fault that was made, or an edit. What it excuses is decided by the rules. */
export type Disturbed = At & {
  readonly is: 'disturbed'
  readonly until: number
  readonly what: string
  /** Whose messages it may have had delivered again; all of them where it is left out. */
  readonly subscriptions?: readonly string[]
  /** What was not written down as it was: times, because the recorder was late, or requests, because they were not seen. */
  readonly hides?: 'times' | 'requests'
}

export type Entry = Published | PublishEnded | Requested | Answered | Found | Disturbed

/** What one subscription was to get, and how. */
export type Terms = {
  readonly subscription: string
  /**
   * `may` where it was made, deleted or bound otherwise about then. The message reached the broker between its time and
   * `settledAt`, when the broker said what became of it: a broker low on memory reads nothing for long.
   */
  matches(message: Published, settledAt: number): 'must' | 'may' | 'must not'
  readonly concurrency: number
  /** The most that it ever had. */
  readonly maxAttempts: number
  /** The shortest delay that it ever had between the end of this attempt and the next one, in ms. */
  delayMs(attempt: number): number
  /** Whether it is delivered one at a time, in the order of publication as long as nothing disturbs that. */
  readonly isOrdered: boolean
}

export type History = {
  readonly entries: readonly Entry[]
  readonly terms: readonly Terms[]
  /** Whether everything had come to rest in the end: then no message waits in a queue that is delivered from. */
  readonly isAtRest: boolean
}
