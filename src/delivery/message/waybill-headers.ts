/** The headers that Waybill writes on its copies of a message. Times are ISO 8601 in UTC. */
export const waybillHeaders = {
  /** Attempts made so far. */
  attempts: 'waybill-attempts',
  firstAttempt: 'waybill-first-attempt',
  lastAttempt: 'waybill-last-attempt',
  /** On a message that waits longer than one delay: no attempt before this time. */
  notBefore: 'waybill-not-before',
  /** On a message with a time to live: no attempt from this time on. */
  expires: 'waybill-expires',
  /** Its property `priority`, which a copy does not have. */
  priority: 'waybill-priority',
  /** On a suspect, which is tried alone: how often it came back from that. */
  suspect: 'waybill-suspect',
  /** The exchange and the routing key that it was first published with. */
  exchange: 'waybill-exchange',
  routingKey: 'waybill-routing-key',
  /** The status code of the latest answer. */
  status: 'waybill-status',
  /** The last attempts: when each began, how it ended, and how long it took. */
  history: 'waybill-history',
  /** The last attempt's place in its trace, where attempts are traced: a `traceparent` of W3C Trace Context. */
  trace: 'waybill-trace',
  /** The type of the problem that the subscriber described in its latest answer. */
  problem: 'waybill-problem',
  /** `namespace/name` of the subscription. */
  subscription: 'waybill-subscription',
  /** The queue that it was delivered from. */
  queue: 'waybill-queue',
  /** Why it is a dead letter, for machines and for people. */
  reason: 'waybill-reason',
  error: 'waybill-error',
  deadLettered: 'waybill-dead-lettered',
  /** How often it was replayed from a dead-letter queue, and the uid of the Replay that did it last. */
  replays: 'waybill-replays',
  replay: 'waybill-replay',
  /** On what was discarded: when, by which resource and why, and the dead-letter queue that it came from. */
  discarded: 'waybill-discarded',
  discardedBy: 'waybill-discarded-by',
  discardedReason: 'waybill-discarded-reason',
  discardedFrom: 'waybill-discarded-from',
  /** How many headers a reduced copy dropped. */
  headersDropped: 'waybill-headers-dropped',
  /** The properties of a message whose properties cannot be read, byte for byte. */
  brokenProperties: 'waybill-broken-properties',
  /** On a message that only keeps a queue closed while it is deleted. It is no event. */
  plug: 'waybill-plug',
} as const

export const waybillPrefix = 'waybill-'
