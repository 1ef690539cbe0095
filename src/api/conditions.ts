import type { ArraySchema, Infer } from './schema/schema.ts'

/**
 * What each condition type means and the reasons it may carry.
 * The first five are always present; the others only while True.
 */
export const conditionReasons = {
  /** The specification is understood and nothing else claims what it names. */
  Accepted: ['Accepted', 'Invalid', 'Conflicted'],
  /** Everything it refers to exists and permits it. */
  ResolvedRefs: ['ResolvedRefs', 'RefNotPermitted', 'SecretInvalid'],
  /** Its objects were read back from the broker as declared. */
  Programmed: [
    'Programmed',
    'Pending',
    'NotResolved',
    'BrokerUnreachable',
    'BrokerRefused',
    'Conflicted',
    'ImmutableArgument',
    'Observing',
  ],
  /** All of the above, and on a Subscription delivery works or has nothing to do. */
  Ready: ['Ready', 'NotAccepted', 'NotResolved', 'NotProgrammed', 'NotDelivering', 'Suspended'],
  /** Subscription: a dispatcher consumes, and not every attempt fails. */
  Delivering: ['Delivering', 'NoConsumer', 'AllAttemptsFailing', 'Suspended', 'TargetInvalid', 'BrokerUnreachable'],
  /** Broker: the management API and the credentials work. */
  Connected: ['Connected', 'BrokerUnreachable', 'CredentialsRefused', 'SecretInvalid', 'UnsupportedVersion'],
  /** Subscription: its dead-letter queue holds at least `alert.depth` messages. */
  DeadLettersPresent: ['DeadLetters'],
  /** Subscription: copies for retry or dead letter are not confirmed; the originals stay unacknowledged in the queue. */
  RetryBlocked: ['CopyNotConfirmed'],
  /** An object of that name belongs to another resource or to nobody Waybill knows. */
  Conflicted: ['ClaimedByAnother', 'NotClaimed'],
  /** Another policy is in force on the queue than the one declared. */
  PolicyShadowed: ['PolicyShadowed'],
  /** A deletion waits for a broker that is away. */
  DeletionBlocked: ['BrokerUnreachable'],
  /** Subscription: delivery is stopped, by `suspend` or because the subscriber answered 410 Gone. */
  Suspended: ['Suspended', 'Gone'],
  /** Broker: `management: Observe` found differences and left them. */
  Drifted: ['Drifted'],
} as const

export type ConditionType = keyof typeof conditionReasons
export type Reason<T extends ConditionType> = (typeof conditionReasons)[T][number]

/** conditions as the Kubernetes API conventions have them: a list-map, so that two writers can each own some of them. */
export const conditions = {
  type: 'array',
  description: 'How it is going, one entry a condition type.',
  maxItems: 32,
  'x-kubernetes-list-type': 'map',
  'x-kubernetes-list-map-keys': ['type'],
  items: {
    type: 'object',
    required: ['type', 'status', 'reason', 'message', 'lastTransitionTime'],
    properties: {
      type: { type: 'string', maxLength: 316, description: 'What is judged, such as Ready.' },
      status: { type: 'string', enum: ['True', 'False', 'Unknown'], description: 'Whether it holds.' },
      reason: { type: 'string', maxLength: 1024, description: 'Why, in one word, for programs.' },
      message: { type: 'string', maxLength: 32768, description: 'Why, and what to do, for people.' },
      observedGeneration: {
        type: 'integer',
        format: 'int64',
        minimum: 0,
        description: 'The generation of the specification that was judged.',
      },
      lastTransitionTime: { type: 'string', format: 'date-time', description: 'When status changed last.' },
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
}

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
      // Half a character, cut here, would come back from an API server as another one, and be written again and again.
      message: found.message.slice(0, 2048).toWellFormed(),
      observedGeneration: generation,
      lastTransitionTime: unchanged ? before.lastTransitionTime : now.toISOString().replace(/\.\d+Z$/, 'Z'),
    }
  })

export const isTrue = (list: readonly Condition[] | undefined, type: ConditionType): boolean =>
  list?.some((condition) => condition.type === type && condition.status === 'True') ?? false
