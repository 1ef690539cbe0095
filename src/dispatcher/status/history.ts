import { subscription as kind, type Subscription } from '../../api/kinds/subscription.ts'
import { timestamp } from '../../api/timestamp.ts'
import { pause } from '../../async/abort.ts'
import { type Counted, HourRing, type LastHour, minuteMs, minuteOf, minutes } from '../../delivery/last-hour.ts'
import type { DeliveryStats } from '../../delivery/stats.ts'
import type { Store } from '../../store/store.ts'
import type { Replicas } from '../replicas/replicas.ts'
import type { Observations } from './observations.ts'

/** The last hour of the subscriptions of a namespace. */
export type NamespaceHistory = {
  /** When the first of the 60 minutes begins. */
  readonly from: string
  /** Those with anything to show. */
  readonly subscriptions: readonly (LastHour & { readonly name: string })[]
}

export type HistoryOptions = {
  readonly store: Pick<Store, 'list'>
  /** What this replica counts. */
  readonly local: Pick<Observations, 'counted'>
  /** What the others count. */
  readonly replicas: Pick<Replicas, 'observations'>
}

/**
 * Deliveries, failures and backlog of the last hour, minute by minute: from what all replicas count anyway, read once a minute and
 * when somebody asks. It begins anew with the process; what other replicas counted until then is of before.
 */
export const createHistory = ({ store, local, replicas }: HistoryOptions) => {
  const rings = new Map<string, HourRing>()
  let begun: number | undefined

  const othersOf = (uid: string): DeliveryStats[] => replicas.observations(uid).map(({ stats }) => stats)

  const look = (subscription: Subscription, minute: number): void => {
    const { uid } = subscription.metadata
    const own = local.counted(subscription)
    const counted = countedBy([...(own ? [own] : []), ...othersOf(uid)])
    const backlog = subscription.status?.backlog?.ready ?? 0
    let ring = rings.get(uid)
    if (ring === undefined) {
      // Most have nothing to remember.
      if (counted.delivered === 0 && counted.failed === 0 && backlog === 0) return
      ring = new HourRing({ delivered: 0, failed: 0 })
      rings.set(uid, ring)
    }
    ring.see(counted, backlog, minute)
  }

  const lookAtAll = (minute: number): void => {
    const all = store.list(kind)
    for (const subscription of all) look(subscription, minute)
    const uids = new Set(all.map(({ metadata }) => metadata.uid))
    for (const uid of rings.keys()) if (!uids.has(uid)) rings.delete(uid)
  }

  return {
    /** What the other replicas have counted by now is of before; call it once they have answered. */
    begin(): void {
      begun = minuteOf(Date.now())
      for (const { metadata } of store.list(kind)) {
        const counted = countedBy(othersOf(metadata.uid))
        if (counted.delivered > 0 || counted.failed > 0) rings.set(metadata.uid, new HourRing(counted))
      }
    },
    /** What was counted since the last look belongs to this minute. */
    look: lookAtAll,
    /** The subscriptions of a namespace, or one of them; `undefined` until it has begun. */
    of(namespace: string, name?: string): NamespaceHistory | undefined {
      if (begun === undefined) return undefined
      const minute = minuteOf(Date.now())
      const subscriptions: NamespaceHistory['subscriptions'][number][] = []
      for (const subscription of store.list(kind)) {
        const { metadata } = subscription
        if (metadata.namespace !== namespace || (name !== undefined && metadata.name !== name)) continue
        look(subscription, minute)
        const hour = rings.get(metadata.uid)?.hour(minute, begun)
        if (hour) subscriptions.push({ name: metadata.name, ...hour })
      }
      return { from: timestamp((minute - minutes + 1) * minuteMs), subscriptions }
    },
  }
}

export type History = ReturnType<typeof createHistory>

/** Begins once the other replicas have answered, and looks at the end of each minute until the signal. */
export const keepHistory = async (
  history: History,
  received: Promise<unknown> | undefined,
  signal: AbortSignal,
): Promise<void> => {
  await received
  history.begin()
  for (;;) {
    const minute = minuteOf(Date.now())
    await pause((minute + 1) * minuteMs - Date.now(), signal)
    if (signal.aborted) return
    history.look(minute)
  }
}

const countedBy = (all: readonly DeliveryStats[]): Counted => {
  let [delivered, failed] = [0, 0]
  for (const stats of all) {
    delivered += stats.delivered
    failed += stats.retried + stats.deadLettered
  }
  return { delivered, failed }
}
