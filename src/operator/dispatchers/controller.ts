import { subscription as kind, type Subscription } from '../../api/kinds/subscription.ts'
import { generationOf } from '../../api/readiness.ts'
import { isDeleting } from '../../api/resource.ts'
import { atMost } from '../../async/limit.ts'
import type { Controller } from '../../reconcile/controller.ts'
import type { Presence } from '../../store/leadership.ts'
import { noticesOf } from '../../store/notices.ts'
import type { Store } from '../../store/store.ts'
import type { Metrics } from '../../telemetry/metrics.ts'
import type { WorldView } from '../world/world.ts'
import { awaitsDispatcher, isDeclared, unvouched } from './vouched.ts'

export type DispatchersOptions = {
  readonly store: Store
  readonly world: Pick<WorldView, 'onRelevantChange'>
  readonly metrics: Pick<Metrics, 'statusWrites'>
  /** Whether there are any; one of them writes what is said here otherwise. */
  readonly dispatchers: Presence
}

/** What is said of all Subscriptions is kept true together, under one key. */
const everything = 'everything'
const keys: ReadonlySet<string> = new Set([everything])

/** A dispatcher takes a change up within a second or two. */
const takenUpWithinMs = 20_000
/** While something waits to be taken up. */
const lookAgainMs = 5_000
const atATime = 16

const absent =
  'No dispatcher is running: none holds the Lease, so messages wait in the queue. Look at the pods of the dispatcher'
const untaken = (generation: number): string =>
  `No dispatcher has taken up generation ${generation} of this resource. Look at the log of the dispatcher that leads`

/**
 * What dispatchers wrote holds only while they are there. Says so on Subscriptions for which none of them vouches: as the
 * dispatchers' own field manager, so that the next one that leads writes over it.
 */
export const dispatchersController = ({ store, world, metrics, dispatchers }: DispatchersOptions): Controller => {
  /** Since when each change waits to be taken up, by uid and generation. */
  let waiting = new Map<string, number>()
  const inTurn = atMost(atATime)

  const say = async (subscription: Subscription, message: string): Promise<void> => {
    const conditions = unvouched(subscription, message, new Date())
    if (conditions === undefined) return
    const { conditions: before = [], delivery } = subscription.status ?? {}
    await store.applyStatus(kind, subscription, 'waybill-dispatcher', {
      ...generationOf(conditions),
      conditions,
      ...(delivery === undefined ? {} : { delivery }),
    })
    metrics.statusWrites.inc({ manager: 'waybill-dispatcher' })
    const ready = (list: typeof conditions) => list.filter(({ type }) => type === 'Ready')
    for (const notice of noticesOf(ready(before), ready(conditions))) store.record(subscription, notice)
  }

  const isOverdue = ({ metadata: { uid, generation } }: Subscription, still: Map<string, number>): boolean => {
    const key = `${uid} ${generation}`
    const since = waiting.get(key) ?? performance.now()
    still.set(key, since)
    return performance.now() - since >= takenUpWithinMs
  }

  return {
    name: 'dispatchers',
    keys: () => keys,
    watch(wake) {
      const stop = [world.onRelevantChange(() => wake(everything)), dispatchers.onChange(() => wake(everything))]
      return () => {
        for (const each of stop) each()
      }
    },
    async reconcile() {
      const still = new Map<string, number>()
      const isAbsent = dispatchers.isAbsent()
      const subscriptions = store.list(kind).filter((each) => !isDeleting(each))
      const due = subscriptions.flatMap((each) => {
        if (isAbsent) return [() => say(each, absent)]
        if (!awaitsDispatcher(each) || !isOverdue(each, still) || !isDeclared(each)) return []
        return [() => say(each, untaken(each.metadata.generation))]
      })
      waiting = still
      await Promise.all(due.map(inTurn))
      return still.size === 0 ? undefined : { againMs: lookAgainMs }
    },
  }
}
