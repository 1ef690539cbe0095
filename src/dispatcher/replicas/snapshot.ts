import { type DeliveryStats, type LastFailure, newStats } from '../../delivery/stats.ts'
import { count, flag, list, object, oneOf, optional, type Reader, text, UnreadableError } from './reading.ts'

/** How the worker of a subscription is doing on one replica. */
export type WorkerState = {
  /** The generation of the subscription that it delivers by. */
  readonly generation: number
  /** Too young to report that it does not consume. */
  readonly starting: boolean
  /** Why it receives no messages, where it does not. */
  readonly waiting?: Waiting | undefined
  /** Why copies are not confirmed, while any is held back. */
  readonly blocked?: string | undefined
  /** Which queue ends the connections that it is consumed on, since when, why, and what to do, where one does. */
  readonly unreadable?: string | undefined
  /** That the Service of the subscriber has no address, and what to do. */
  readonly missing?: string | undefined
  /** The subscriber answered 410. */
  readonly gone: boolean
}

export type Waiting = { readonly reason: 'NoConsumer' | 'BrokerUnreachable'; readonly message: string }

/** What one replica observes of one subscription. */
export type Observation = { readonly stats: DeliveryStats; readonly worker?: WorkerState | undefined }

/**
 * What one replica observes of the subscriptions: of all of them, or of those that changed since `from`. During an
 * upgrade, replicas of two versions read each other's snapshots, so members that a version does not know are ignored,
 * and each member that is added to any object in it must be read as `optional`, with the value that its absence stands
 * for. No member is ever removed, made required or given another type.
 */
export type Snapshot = {
  /** Another one for each process. */
  readonly replica: string
  /** Counts the changes that this replica has observed. */
  readonly version: number
  /** 0 where this is a full snapshot. */
  readonly from: number
  /** How many subscriptions it observes. */
  readonly total: number
  /** Whether it is about to end. */
  readonly leaving: boolean
  readonly observations: readonly SubscriptionObservation[]
  /** In a full snapshot: the counts of replicas that were alive before and are gone. */
  readonly gone?: readonly GoneReplica[] | undefined
}

export type SubscriptionObservation = Observation & { readonly uid: string }

export type GoneReplica = {
  readonly replica: string
  /** The latest version of it that was received. */
  readonly version: number
  readonly observations: readonly { readonly uid: string; readonly stats: DeliveryStats }[]
}

const readWaiting = object<Waiting>({ reason: oneOf('NoConsumer', 'BrokerUnreachable'), message: text })

const readWorker = object<WorkerState>({
  generation: count,
  starting: flag,
  waiting: optional(readWaiting),
  blocked: optional(text),
  unreadable: optional(text),
  missing: optional(text),
  gone: flag,
})

const readFailure = object<LastFailure>({ time: count, statusCode: optional(count), reason: text, message: text })

const readStats = object<DeliveryStats>({
  delivered: count,
  retried: count,
  deadLettered: count,
  failing: count,
  failingSince: count,
  lastSuccess: count,
  lastFailure: optional(readFailure),
})

const readUid = object<{ readonly uid: string }>({ uid: text })
const readObservation = object<SubscriptionObservation>({ uid: text, stats: readStats, worker: optional(readWorker) })

/**
 * Reads what another replica answered. An observation of which no more than the uid can be read is reported to
 * `unreadable` and counts nothing; the others count as ever. @throws UnreadableError where the rest is not a snapshot
 */
export const readSnapshot = (value: unknown, unreadable: (error: UnreadableError) => void): Snapshot => {
  const observations: Reader<readonly SubscriptionObservation[]> = list((item) => {
    try {
      return readObservation(item)
    } catch (error) {
      if (error instanceof UnreadableError) unreadable(error)
      return { ...readUid(item), stats: newStats() }
    }
  })
  const read = object<Snapshot>({
    replica: text,
    version: count,
    from: count,
    total: count,
    leaving: flag,
    observations,
    gone: optional(list(object<GoneReplica>({ replica: text, version: count, observations }))),
  })
  return read(value)
}
