import { type DeliveryStats, type LastFailure, mergeStats } from '../../delivery/stats.ts'
import { isCount, isFlag, isText, listOf, oneOf, optional, shape } from './checks.ts'

/** How the worker of a subscription is doing on one replica. */
export type WorkerState = {
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
export type Observation = { readonly stats: DeliveryStats; readonly worker?: WorkerState | undefined }

/** What one replica sees of the subscriptions: of all of them, or of those that changed since `from`. */
export type Snapshot = {
  /** Another one for each process. */
  readonly replica: string
  /** Counts the changes that this replica has seen. */
  readonly version: number
  /** 0 where this is everything. */
  readonly from: number
  /** How many subscriptions it sees. */
  readonly total: number
  /** Whether it is about to end. */
  readonly leaving: boolean
  readonly observations: readonly (Observation & { readonly uid: string })[]
  /** With everything: what those counted that were heard before and are no more. */
  readonly gone?: readonly GoneReplica[] | undefined
}

export type GoneReplica = {
  readonly replica: string
  /** The latest change of it that was heard. */
  readonly version: number
  readonly observations: readonly { readonly uid: string; readonly stats: DeliveryStats }[]
}

/** What several replicas see of one subscription, as if one had seen it; whatever their order. */
export const mergeObservations = (observations: readonly Observation[]): Observation => {
  const workers = observations.flatMap(({ worker }) => worker ?? [])
  return { stats: mergeStats(observations.map(({ stats }) => stats)), worker: mergeWorkers(workers) }
}

/** Lanes of an older generation than the newest are about to end, and say nothing of it. */
const mergeWorkers = (all: readonly WorkerState[]): WorkerState | undefined => {
  if (all.length === 0) return undefined
  const generation = Math.max(...all.map((worker) => worker.generation))
  const workers = all.filter((worker) => worker.generation === generation)
  const starting = workers.every((worker) => worker.starting)
  const consuming = workers.some(({ waiting }) => waiting === undefined)
  return {
    generation,
    starting,
    waiting: consuming ? undefined : mostTelling(workers.filter((worker) => starting || !worker.starting)),
    blocked: workers.flatMap(({ blocked }) => blocked ?? []).toSorted()[0],
    gone: workers.some(({ gone }) => gone),
  }
}

/** A replica that reaches the broker knows more than one that does not. */
const mostTelling = (workers: readonly WorkerState[]): Waiting | undefined =>
  workers.flatMap(({ waiting }) => waiting ?? []).toSorted((a, b) => (rank(a) < rank(b) ? -1 : 1))[0]

const rank = ({ reason, message }: Waiting): string => `${reason === 'NoConsumer' ? 0 : 1} ${message}`

const isWaiting = shape<Waiting>({ reason: oneOf('NoConsumer', 'BrokerUnreachable'), message: isText })

const isWorkerState = shape<WorkerState>({
  generation: isCount,
  starting: isFlag,
  waiting: optional(isWaiting),
  blocked: optional(isText),
  gone: isFlag,
})

const isFailure = shape<LastFailure>({ time: isCount, statusCode: optional(isCount), reason: isText, message: isText })

const isStats = shape<DeliveryStats>({
  delivered: isCount,
  retried: isCount,
  deadLettered: isCount,
  failing: isCount,
  failingSince: isCount,
  failingUntil: isCount,
  lastSuccess: isCount,
  lastFailure: optional(isFailure),
})

const isGone = shape<GoneReplica>({
  replica: isText,
  version: isCount,
  observations: listOf(shape<GoneReplica['observations'][number]>({ uid: isText, stats: isStats })),
})

/** Whether what another replica answered is a snapshot. */
export const isSnapshot = shape<Snapshot>({
  replica: isText,
  version: isCount,
  from: isCount,
  total: isCount,
  leaving: isFlag,
  observations: listOf(
    shape<Snapshot['observations'][number]>({ uid: isText, stats: isStats, worker: optional(isWorkerState) }),
  ),
  gone: optional(listOf(isGone)),
})
