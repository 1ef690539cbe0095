import { type LastFailure, mergeTallies, type Tally } from '../../delivery/stats.ts'
import { isCount, isFlag, isText, listOf, oneOf, optional, shape } from './checks.ts'

/** How the lane of a subscription is doing on one replica. */
export type LaneState = {
  /** The generation of the subscription that it delivers by. */
  readonly generation: number
  /** Too young to say that it does not consume. */
  readonly starting: boolean
  /** Why it takes no messages, where it does not. */
  readonly waiting?: Waiting | undefined
  /** Why copies are not confirmed, while any is held back. */
  readonly blocked?: string | undefined
  /** The subscriber answered 410. */
  readonly gone: boolean
}

export type Waiting = { readonly reason: 'NoConsumer' | 'BrokerUnreachable'; readonly message: string }

/** What a report on a subscription is made of. */
export type Sight = { readonly tally: Tally; readonly lane?: LaneState | undefined }

/** What one replica sees of the subscriptions: of all of them, or of those that changed since `from`. */
export type Share = {
  /** Another one for each process. */
  readonly replica: string
  /** Counts the changes that this replica has seen. */
  readonly at: number
  /** 0 where this is everything. */
  readonly from: number
  /** How many subscriptions it sees. */
  readonly total: number
  /** Whether it is about to end. */
  readonly leaving: boolean
  readonly sights: readonly (Sight & { readonly uid: string })[]
  /** With everything: what those counted that were heard before and are no more. */
  readonly gone?: readonly Gone[] | undefined
}

export type Gone = {
  readonly replica: string
  /** The latest change of it that was heard. */
  readonly at: number
  readonly sights: readonly { readonly uid: string; readonly tally: Tally }[]
}

/** What several replicas see of one subscription, as if one had seen it; whatever their order. */
export const mergeSights = (sights: readonly Sight[]): Sight => {
  const lanes = sights.flatMap(({ lane }) => lane ?? [])
  return { tally: mergeTallies(sights.map(({ tally }) => tally)), lane: mergeLanes(lanes) }
}

/** Lanes of an older generation than the newest are about to end, and say nothing of it. */
const mergeLanes = (all: readonly LaneState[]): LaneState | undefined => {
  if (all.length === 0) return undefined
  const generation = Math.max(...all.map((lane) => lane.generation))
  const lanes = all.filter((lane) => lane.generation === generation)
  const starting = lanes.every((lane) => lane.starting)
  const consuming = lanes.some(({ waiting }) => waiting === undefined)
  return {
    generation,
    starting,
    waiting: consuming ? undefined : mostTelling(lanes.filter((lane) => starting || !lane.starting)),
    blocked: lanes.flatMap(({ blocked }) => blocked ?? []).toSorted()[0],
    gone: lanes.some(({ gone }) => gone),
  }
}

/** A replica that reaches the broker knows more than one that does not. */
const mostTelling = (lanes: readonly LaneState[]): Waiting | undefined =>
  lanes.flatMap(({ waiting }) => waiting ?? []).toSorted((a, b) => (rank(a) < rank(b) ? -1 : 1))[0]

const rank = ({ reason, message }: Waiting): string => `${reason === 'NoConsumer' ? 0 : 1} ${message}`

const isWaiting = shape<Waiting>({ reason: oneOf('NoConsumer', 'BrokerUnreachable'), message: isText })

const isLane = shape<LaneState>({
  generation: isCount,
  starting: isFlag,
  waiting: optional(isWaiting),
  blocked: optional(isText),
  gone: isFlag,
})

const isFailure = shape<LastFailure>({ time: isCount, statusCode: optional(isCount), reason: isText, message: isText })

const isTally = shape<Tally>({
  delivered: isCount,
  retried: isCount,
  deadLettered: isCount,
  failing: isCount,
  failingSince: isCount,
  failingUntil: isCount,
  lastSuccess: isCount,
  lastFailure: optional(isFailure),
})

const isGone = shape<Gone>({
  replica: isText,
  at: isCount,
  sights: listOf(shape<Gone['sights'][number]>({ uid: isText, tally: isTally })),
})

/** Whether what another replica answered is a share. */
export const isShare = shape<Share>({
  replica: isText,
  at: isCount,
  from: isCount,
  total: isCount,
  leaving: isFlag,
  sights: listOf(shape<Share['sights'][number]>({ uid: isText, tally: isTally, lane: optional(isLane) })),
  gone: optional(listOf(isGone)),
})
