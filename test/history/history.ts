/** How a message is told from all others: what its producer wrote into its body or headers. */
export type MessageId = string

/** Digests of bytes, so that a history of large messages stays small. */
export type Content = {
  readonly body: string
  /** Of the raw header table without Waybill's own headers and the broker's, by name. */
  readonly headers?: Readonly<Record<string, string>>
}

/** A time in ms since 1970, of the one clock of the recorder. */
type At = { readonly at: number }

/** What a producer did, and what the broker said of it. */
export type Published = At & {
  readonly is: 'published'
  readonly id: MessageId
  readonly exchange: string
  readonly routingKey: string
  readonly content: Content
}
export type PublishEnded = At & {
  readonly is: 'confirmed' | 'refused' | 'returned' | 'unknown'
  readonly id: MessageId
}

/** A request that reached a subscriber. `request` is different for each; `subscription` is "namespace/name". */
export type Requested = At & {
  readonly is: 'requested'
  readonly request: number
  readonly subscription: string
  readonly id: MessageId
  /** Of `waybill-attempt`, from 1. */
  readonly attempt: number
  /** Of `webhook-id`. */
  readonly webhookId: string
  readonly content: Content
}

/** What the subscriber answered, completely; a request without one was cut off, or never answered. */
export type Answered = At & { readonly is: 'answered'; readonly request: number; readonly status: number }

/** A message that was in a queue in the end. */
export type Found = At & {
  readonly is: 'found'
  readonly queue: string
  /** What the queue is for: a subscription's own, its retries, a level of the ladder, dead letters, unrouted, or another. */
  readonly role: 'source' | 'retry' | 'level' | 'dead-letters' | 'unrouted' | 'other'
  /** Of which subscription, "namespace/name"; for a level, the one that the message goes back to. */
  readonly subscription?: string
  readonly id: MessageId
  /** Of `waybill-reason`, on a dead letter. */
  readonly reason?: string
  readonly content: Content
}

/** A fault that was made, or an edit: what it excuses is decided by the checker. */
export type Disturbed = At & {
  readonly is: 'disturbed'
  readonly until: number
  readonly what: string
  /** Whose messages it may have had delivered again; all of them where it is left out. */
  readonly subscriptions?: readonly string[]
}

export type Entry = Published | PublishEnded | Requested | Answered | Found | Disturbed

/** What one subscription was to get, and how: the checker judges by it. */
export type Terms = {
  readonly subscription: string
  /** Whether it was there, and bound, for all of the time; only then each message that matches must reach it. */
  readonly matches: (message: Published) => 'must' | 'may' | 'must not'
  readonly maxAttempts: number
  /** The shortest delay before the attempt after this one, in ms. */
  readonly delayMs: (attempt: number) => number
  readonly concurrency: number
  /** Whether it is delivered one at a time, in the order of publication, as far as that is promised. */
  readonly ordered: boolean
}

export type History = { readonly entries: readonly Entry[]; readonly terms: readonly Terms[] }
