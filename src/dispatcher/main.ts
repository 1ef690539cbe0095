import type { LookupFunction } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import type { Resource } from '../api/resource.ts'
import { subscription } from '../api/subscription.ts'
import { gather } from '../store/gather.ts'
import { onGone } from '../store/gone.ts'
import { onMeaning } from '../store/meaning.ts'
import type { Store } from '../store/store.ts'
import type { Log } from '../telemetry/log.ts'
import type { Metrics } from '../telemetry/metrics.ts'
import { addressGuard } from './addresses.ts'
import { createConsumers } from './consumers.ts'
import { createReporter } from './report.ts'
import { workOf } from './routes.ts'

export type DispatcherOptions = {
  readonly store: Store
  readonly log: Log
  readonly metrics: Metrics
  /** Whether subscribers on this machine may be reached. */
  readonly allowLoopback: boolean
  /** How long messages in flight may take when delivery stops. */
  readonly drainTimeoutMs: number
  /** Resolves the names of brokers and subscribers; the system when left out. */
  readonly lookup?: LookupFunction
  /**
   * `host:port` of the HTTP servers of all replicas, this one included, each name standing for all its addresses.
   * Left out, this is the only dispatcher there is, and it writes by itself.
   */
  readonly peers?: readonly string[]
}

/** As long as it lasts, this replica is the one that writes. */
export type Term = {
  /** Aborts when it ends. */
  readonly signal: AbortSignal
  /** Throws where another may write by now. */
  assertHeld(): void
}

export type Running = {
  /** What there was to deliver at the start is being consumed. */
  ready(): boolean
  /**
   * Resolves when everything in flight has ended, after the signal. Serve the share until then, and end the term
   * after it: its last write has the last counts.
   */
  readonly done: Promise<void>
  /** What this replica sees, for the other ones: to be served as JSON at {@link sharePath}, `undefined` as 204. */
  share(query: URLSearchParams): object | undefined
  /**
   * Writes the statuses for all replicas as long as the term lasts, and once more when it ends if it is still held then.
   * It is the work of a Lease where there are replicas. Never rejects.
   */
  report(term: Term): Promise<void>
}

/** Where the HTTP server of a replica serves its share. */
export const sharePath = '/share'

/** A change to a resource takes effect within two seconds, this and the reading of the file included. */
const gatherMs = 20
/** Secrets cannot be watched everywhere, so they are read again this often. */
const refreshMs = 60_000
const reportMs = 250

/** Delivers the messages of all subscriptions until the signal aborts, then ends what is in flight. */
export const startDispatcher = (options: DispatcherOptions, signal: AbortSignal): Running => {
  const { store, log, metrics, allowLoopback, drainTimeoutMs, lookup, peers } = options
  const reporter = createReporter({ store, metrics, log, now: Date.now })
  const consumers = createConsumers({
    store,
    log,
    metrics,
    guard: addressGuard({ loopback: allowLoopback }, lookup),
    lookup,
    drainTimeoutMs,
    ...reporter,
  })
  let isReady = false
  let following: Promise<void> | undefined
  let again = false

  const follow = async (): Promise<void> => {
    do {
      again = false
      try {
        const { work, idle } = workOf(gather(store))
        await consumers.follow(work, idle)
        isReady = true
      } catch (error) {
        log.error({ error }, 'Could not follow a change of the resources')
      }
    } while (again && !signal.aborted)
    following = undefined
  }

  const look = (): void => {
    again = true
    following ??= follow()
  }

  const repeat = async (everyMs: number, work: () => void | Promise<void>): Promise<void> => {
    while (await delay(everyMs, true, { signal }).catch(() => false)) await work()
  }

  const run = async (): Promise<void> => {
    const stopWatching = onMeaning(store, meaningOf, gatherMs, look)
    const stopForgetting = onGone(store, subscription, (namespace, name) => {
      reporter.forget(namespace, name)
      void metrics.forgetSubscription(namespace, name)
    })
    const drained = new AbortController()
    const reporting = peers ? undefined : report({ signal: drained.signal, assertHeld() {} })
    await repeat(refreshMs, look)
    stopWatching()
    stopForgetting()
    await following
    await consumers.close()
    drained.abort()
    await reporting
  }

  const report = async (term: Term): Promise<void> => {
    while (await delay(reportMs, true, { signal: term.signal }).catch(() => false)) await reporter.write()
    await reporter.write()
  }

  return { ready: () => isReady, done: run(), share: () => undefined, report }
}

const meaningOf = ({ metadata, status }: Resource): string => {
  const of = (type: string): string => {
    const condition = status?.conditions?.find((each) => each.type === type)
    return `${condition?.status} ${condition?.reason} ${condition?.observedGeneration}`
  }
  const { uid, generation, deletionTimestamp } = metadata
  return [uid, generation, deletionTimestamp, of('Programmed'), of('Suspended')].join(' ')
}
