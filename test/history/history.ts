/** How a message is told from all others: what its producer wrote into its body or headers. */
export type MessageId = string

/** Digests of bytes, so that a history of large messages stays small. */
export type Content = {
  /** Left out where it is not to be the same, as in a request in structured mode. */
  readonly body?: string
  /** Of each header but Waybill's and the broker's, by name: its type and bytes on the wire. */
  readonly headers?: Readonly<Record<string, string>>
  /** Of each property that a copy keeps, by name. */
  readonly properties?: Readonly<Record<string, string>>
  /** Source and type of the event, where they are known. */
  readonly attributes?: Readonly<Record<string, string>>
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
  /** Whether a request can be made of it; not known where it is left out. */
  readonly isSendable?: boolean
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
  /** A digest of all that is the same in each attempt to deliver a message: body, attributes and types. */
  readonly sent?: string
}

/** The status that the subscriber answered with; a request without one was cut off, or never answered. */
export type Answered = At & {
  readonly is: 'answered'
  readonly request: number
  readonly status: number
  /** How long it asked to wait, up to what its subscription honours. */
  readonly retryAfterMs?: number
}

/** What the headers of a dead letter say; nothing where the broker gave it up. */
export type Letter = {
  readonly subscription: string
  readonly reason: string
  readonly attempts: number
  /** Of the last answer, where there was one. */
  readonly status?: number | undefined
  /** Where it was first published. */
  readonly exchange: string
  readonly routingKey: string
}

/** A message that was in a queue in the end. */
export type Found = At & {
  readonly is: 'found'
  readonly queue: string
  /** What the queue is for. */
  readonly role: 'source' | 'retry' | 'level' | 'dead-letters' | 'unrouted' | 'orphans' | 'other'
  /** Whose it is, `namespace/name`; of a message in a level or an orphan, the one that it goes back to. */
  readonly subscription?: string
  /** Of an unrouted message: where those that wait in this queue were published. */
  readonly exchange?: string
  /** Of a dead letter. */
  readonly letter?: Letter | undefined
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
  /** Set where it has no message delivered again, as an edit. */
  readonly isGentle?: boolean
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
  /** How many messages it may have had in hand at once, at most. */
  readonly concurrency: number
  /** The most that it ever had, and the fewest. */
  readonly maxAttempts: number
  readonly leastAttempts: number
  /** Whether this answer has a message dead-lettered at once. */
  rejects(status: number): boolean
  /** The shortest delay that it had, up to when this attempt ended, between that and the next one, in ms. */
  delayMs(attempt: number, endedAt: number): number
  /** Whether it is delivered one at a time, in the order of publication as long as nothing disturbs that. */
  readonly isOrdered: boolean
  /** Whether it had said some time before that it is suspended, and was still to be. */
  isSuspended?(at: number): boolean
}

export type History = {
  readonly entries: readonly Entry[]
  readonly terms: readonly Terms[]
  /** Whether everything had come to rest in the end: then no message waits in a queue that is delivered from. */
  readonly isAtRest: boolean
  /** Whether what nobody wants of this exchange is kept in a queue of its own. */
  parks?(exchange: string): boolean
}
