import type { ArraySchema, Infer } from './schema/schema.ts'
import { timestamp } from './timestamp.ts'

/** Which process writes a condition: each applies its own, and removes those of its own that no longer hold. */
type Writer = 'operator' | 'dispatcher' | 'both'

type Definition = {
  readonly writtenBy: Writer
  readonly reasons: readonly string[]
  /** Ready follows from it, and says why it is not True. */
  readonly decidesReady?: true
}

/** Why a broker cannot be used, one reason for each cause. */
export const brokerTroubles = [
  'BrokerUnreachable',
  'TlsInvalid',
  'CredentialsRefused',
  'BrokerRefused',
  'SecretInvalid',
  'UnsupportedVersion',
] as const

/**
 * What each condition type means, who writes it, and the reasons that it may carry. Accepted, ResolvedRefs, Programmed,
 * Ready and, on a Subscription, Delivering are always present; Connected on a Broker; the others only while True. Where Ready
 * follows from several, the causes stand before their consequences.
 */
export const conditionTypes = {
  /** The specification is understood, and the names that it asks for are its own to have. */
  Accepted: {
    writtenBy: 'operator',
    decidesReady: true,
    reasons: ['Accepted', 'Invalid', 'NotPermitted', 'Conflicted'],
  },
  /** Everything it refers to exists and permits it. */
  ResolvedRefs: {
    writtenBy: 'operator',
    decidesReady: true,
    reasons: ['ResolvedRefs', 'RefNotPermitted', 'SecretInvalid'],
  },
  /** Broker: the management API and the credentials work. */
  Connected: {
    writtenBy: 'operator',
    decidesReady: true,
    reasons: ['Connected', ...brokerTroubles],
  },
  /** Its objects were read back from the broker as declared. */
  Programmed: {
    writtenBy: 'operator',
    decidesReady: true,
    reasons: [
      'Programmed',
      'Pending',
      'NotResolved',
      ...brokerTroubles,
      'Conflicted',
      'OtherInstance',
      'ImmutableArgument',
      'UnsafeQueue',
      'Observing',
      'Deleting',
    ],
  },
  /** Subscription: a dispatcher consumes, and not every attempt fails. Where there is no dispatcher, the operator writes that. */
  Delivering: {
    writtenBy: 'dispatcher',
    decidesReady: true,
    reasons: [
      'Delivering',
      'NoDispatcher',
      'NoConsumer',
      'QueueUnreadable',
      'AllAttemptsFailing',
      'Suspended',
      'Gone',
      'TargetInvalid',
      'SubscriberNotFound',
      'BrokerUnreachable',
    ],
  },
  /** Subscription: delivery is stopped, by `suspend` or because the subscriber answered 410 Gone. */
  Suspended: { writtenBy: 'dispatcher', decidesReady: true, reasons: ['Suspended', 'Gone'] },
  /** All of the above, and on a Subscription delivery works, has nothing to do, or is suspended as `suspend` asks. */
  Ready: {
    writtenBy: 'both',
    reasons: [
      'Ready',
      'NotAccepted',
      'NotResolved',
      'NotProgrammed',
      'NotDelivering',
      'Suspended',
      'Gone',
      'NotWatched',
    ],
  },
  /** Subscription, Queue: its dead-letter queue holds at least `alert.depth` messages, or one older than `alert.oldestAge`. */
  DeadLettersPresent: { writtenBy: 'operator', reasons: ['DeadLetters', 'OldDeadLetters'] },
  /** Subscription: copies for retry or dead letter are not confirmed; the originals stay unacknowledged in the queue. */
  RetryBlocked: { writtenBy: 'dispatcher', reasons: ['CopyNotConfirmed'] },
  /** Subscription: a message in a queue that it takes from makes the broker end the connection that it is delivered on. */
  QueueUnreadable: { writtenBy: 'dispatcher', reasons: ['ConnectionEnded'] },
  /** An object of that name belongs to another resource, or was not declared by Waybill. */
  Conflicted: { writtenBy: 'operator', reasons: ['ClaimedByAnother', 'OtherInstance', 'NotClaimed'] },
  /** Another policy is in force on the queue than the one declared. */
  PolicyShadowed: { writtenBy: 'operator', reasons: ['PolicyShadowed'] },
  /** Subscription: a queue that it takes from holds as many messages as a limit allows. */
  QueueFull: { writtenBy: 'operator', reasons: ['LimitReached'] },
  /** Broker: a level of the delay ladder stands still, because a queue refuses what comes back from it. */
  LadderStalled: { writtenBy: 'operator', reasons: ['TargetRefuses'] },
  /** Broker: delayed messages came back to a queue that is gone. */
  OrphansPresent: { writtenBy: 'operator', reasons: ['Orphans'] },
  /** Broker: queues of resources that are gone hold messages, or are still bound and fill. */
  RetainedPresent: { writtenBy: 'operator', reasons: ['StillBound', 'Retained'] },
  /** A deletion waits for a broker that cannot be reached. */
  DeletionBlocked: { writtenBy: 'operator', reasons: brokerTroubles },
  /** Replay, Discard: something is being done, or what it waits for. */
  Progressing: {
    writtenBy: 'dispatcher',
    reasons: [
      'Progressing',
      'AnotherJobRunning',
      'SubscriptionNotDelivering',
      'NotDeclared',
      'QueueInUse',
      'BrokerUnreachable',
      'CopyNotConfirmed',
      'Suspended',
      'Ended',
    ],
  },
  /** Replay, Discard: everything that matched was done or tried. */
  Complete: { writtenBy: 'dispatcher', reasons: ['Completed', 'NothingMatched', 'DryRun', 'MaxMessagesReached'] },
  /** Replay, Discard: it ended before everything that matched was taken. */
  Failed: {
    writtenBy: 'dispatcher',
    reasons: ['CanaryFailed', 'TooManyFailures', 'SelectionTooDeep', 'TargetGone', 'TargetFull'],
  },
  /** Replay, Discard: it has not ended, and is not suspended. Tools that wait for what was applied look for it. */
  Reconciling: {
    writtenBy: 'dispatcher',
    reasons: [
      'Progressing',
      'AnotherJobRunning',
      'SubscriptionNotDelivering',
      'NotDeclared',
      'QueueInUse',
      'BrokerUnreachable',
      'CopyNotConfirmed',
    ],
  },
  /**
   * Waiting does not help: somebody has to change something. Tools that wait for what was applied need wait no longer. Of a
   * Replay or Discard it is the dispatcher's, as the rest of its status.
   */
  Stalled: {
    writtenBy: 'operator',
    reasons: [
      'Invalid',
      'NotPermitted',
      'Conflicted',
      'ImmutableArgument',
      'CanaryFailed',
      'TooManyFailures',
      'SelectionTooDeep',
      'TargetGone',
      'TargetFull',
    ],
  },
  /** Broker: `management: Observe` found differences and changed nothing. */
  Drifted: { writtenBy: 'operator', reasons: ['Drifted'] },
} as const satisfies Readonly<Record<string, Definition>>

export type ConditionType = keyof typeof conditionTypes
export type Reason<T extends ConditionType> = (typeof conditionTypes)[T]['reasons'][number]

const definitions: readonly (readonly [string, Definition])[] = Object.entries(conditionTypes)

/** The condition types with one of these writers. */
export const writtenBy = (...writers: readonly Writer[]): ReadonlySet<string> => typesOf(writers, () => true)

/** Those of them from which Ready follows, the causes before their consequences. */
export const decidingReady = (...writers: readonly Writer[]): ReadonlySet<string> =>
  typesOf(writers, ({ decidesReady = false }) => decidesReady)

const typesOf = (writers: readonly Writer[], isMeant: (definition: Definition) => boolean): ReadonlySet<string> =>
  new Set(
    definitions.flatMap(([type, definition]) =>
      writers.includes(definition.writtenBy) && isMeant(definition) ? [type] : [],
    ),
  )

/** `status.conditions` by the Kubernetes API conventions: a list-map, so that two writers can each own some of them. */
export const conditions = {
  type: 'array',
  description: 'The state of the resource, one entry for each condition type.',
  maxItems: 32,
  'x-kubernetes-list-type': 'map',
  'x-kubernetes-list-map-keys': ['type'],
  items: {
    type: 'object',
    required: ['type', 'status', 'reason', 'message', 'lastTransitionTime'],
    properties: {
      type: { type: 'string', maxLength: 316, description: 'The condition type, such as Ready.' },
      status: { type: 'string', enum: ['True', 'False', 'Unknown'], description: 'Whether the condition holds.' },
      reason: { type: 'string', maxLength: 1024, description: 'Why, in one word, for programs.' },
      message: { type: 'string', maxLength: 32768, description: 'Why, and what to do, for people.' },
      observedGeneration: {
        type: 'integer',
        format: 'int64',
        minimum: 0,
        description: 'The generation of the specification that the condition is about.',
      },
      lastTransitionTime: {
        type: 'string',
        format: 'date-time',
        description: 'When the status of the condition last changed.',
      },
    },
  },
} as const satisfies ArraySchema

export type Condition = Infer<typeof conditions>[number]

/** A condition before it is stamped with time and generation. */
export type Verdict<T extends ConditionType = ConditionType> = {
  readonly type: T
  readonly status: Condition['status']
  readonly reason: Reason<T>
  readonly message: string
  /** The generation that it is about, where that is an older one than was looked at. */
  readonly observedGeneration?: number | undefined
}

/** A verdict of which type and reason go together. */
export const verdict = <T extends ConditionType>(
  type: T,
  status: Condition['status'],
  reason: Reason<T>,
  message: string,
): Verdict<T> => ({ type, status, reason, message })

/** Stamps verdicts; `lastTransitionTime` moves only when the status of a condition does. */
export const stamp = (
  verdicts: readonly Verdict[],
  previous: readonly Condition[] | undefined,
  generation: number,
  now: Date,
): Condition[] =>
  verdicts.map((found) => {
    const before = previous?.find(({ type }) => type === found.type)
    const unchanged = before?.status === found.status
    return {
      ...found,
      // Half a character, cut here, would come back from an API server as another one, and be written over and over.
      message: found.message.slice(0, 2048).toWellFormed(),
      observedGeneration: Math.min(found.observedGeneration ?? generation, generation),
      lastTransitionTime: unchanged ? before.lastTransitionTime : timestamp(now.getTime()),
    }
  })

/** Whether the condition of this type is there and True. */
export const isTrue = (list: readonly Condition[] | undefined, type: ConditionType): boolean =>
  list?.some((condition) => condition.type === type && condition.status === 'True') ?? false
