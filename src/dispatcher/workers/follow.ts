import { setTimeout as delay } from 'node:timers/promises'
import type { Subscription } from '../../api/kinds/subscription.ts'
import type { Resource } from '../../api/resource.ts'
import { repeat } from '../../async/repeat.ts'
import { onRelevantChange } from '../../reconcile/fingerprints.ts'
import { gather } from '../../store/gather.ts'
import type { Store } from '../../store/store.ts'
import type { Log } from '../../telemetry/log.ts'
import type { Fleet } from './fleet.ts'
import { workOf } from './routes.ts'

export type FollowOptions = { readonly store: Store; readonly fleet: Fleet; readonly log: Log }

export type Following = {
  /** The fleet has been fitted to the resources once. */
  ready(): boolean
  /** Resolves when the signal has aborted and nothing is changed any more. */
  readonly done: Promise<void>
}

/** A change to a resource takes effect within two seconds, this and the reading of the file included. */
const gatherMs = 20
/** Not every store can watch Secrets, so they are read again this often. */
const refreshMs = 60_000
/** A Secret that could not be read is read again after this. */
const againMs = 2_000

/** Keeps the fleet fitted to the resources and their Secrets until the signal aborts. */
export const followResources = ({ store, fleet, log }: FollowOptions, signal: AbortSignal): Following => {
  let isReady = false
  let running: Promise<void> | undefined
  let isStale = false

  const apply = async (): Promise<void> => {
    do {
      isStale = false
      try {
        const { work, idle } = workOf(gather(store))
        const fault = await fleet.follow(work, idle)
        isReady = true
        if (fault === undefined) continue
        log.warn({ error: fault }, 'Could not read a Secret; deliveries continue with the previous credentials')
        void delay(againMs, undefined, { signal }).then(refresh, () => undefined)
      } catch (error) {
        log.error({ error }, 'Could not apply a change of the resources')
      }
    } while (isStale && !signal.aborted)
    running = undefined
  }

  const refresh = (): void => {
    isStale = true
    running ??= apply()
  }

  const run = async (): Promise<void> => {
    const stopWatching = onRelevantChange(store, fingerprintOf, gatherMs, refresh)
    await repeat(refreshMs, refresh, signal)
    stopWatching()
    await running
  }

  return { ready: () => isReady, done: run() }
}

const fingerprintOf = ({ metadata, status }: Resource): string => {
  const of = (type: string): string => {
    const condition = status?.conditions?.find((each) => each.type === type)
    return `${condition?.status} ${condition?.reason} ${condition?.observedGeneration}`
  }
  const { uid, generation, deletionTimestamp } = metadata
  const { queue, queueUid }: Partial<NonNullable<Subscription['status']>> = status ?? {}
  const conditions = [of('Programmed'), of('Suspended'), of('Connected')]
  return [uid, generation, deletionTimestamp, queue, queueUid, ...conditions].join(' ')
}
