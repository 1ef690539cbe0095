import { stamp, type Verdict, verdict } from '../api/conditions.ts'
import { idOf } from '../api/resource.ts'
import { subscription as kind, type Subscription } from '../api/subscription.ts'
import { deliveringVerdict, deliveryStatus, newTally, type Tally } from '../delivery/tally.ts'
import type { Store } from '../store/store.ts'
import type { Log } from '../telemetry/log.ts'
import type { Metrics } from '../telemetry/metrics.ts'
import type { Lane, LaneState } from './lane.ts'
import type { Idle } from './routes.ts'

type DeliveryStatus = ReturnType<typeof deliveryStatus>
type Found = { readonly verdicts: readonly Verdict[]; readonly delivery?: DeliveryStatus }

/** What a lane's state means for its subscription. */
export const laneReport = (state: LaneState, now: number): Found => {
  const { tally, blocked, gone } = state
  const verdicts: Verdict[] = [delivering(state, now)]
  if (gone !== undefined) verdicts.push(verdict('Suspended', 'True', 'Gone', goneMessage))
  if (blocked !== undefined) {
    const message = `Messages stay in their queue because their copies for retry or dead letter are not stored: ${blocked}`
    verdicts.push(verdict('RetryBlocked', 'True', 'CopyNotConfirmed', message))
  }
  return { verdicts, delivery: deliveryStatus(tally) }
}

const goneMessage =
  'The subscriber answered 410 Gone; delivery stops until this resource changes, and messages wait in the queue'

const delivering = ({ tally, consumer, broker, gone }: LaneState, now: number): Verdict => {
  if (gone !== undefined) return verdict('Delivering', 'False', 'Suspended', goneMessage)
  if (consumer.is === 'consuming') return deliveringVerdict(tally, now)
  if (broker.consuming === 'down') {
    return verdict(
      'Delivering',
      'False',
      'BrokerUnreachable',
      `No AMQP connection: ${broker.reason ?? consumer.reason}`,
    )
  }
  return verdict('Delivering', 'False', 'NoConsumer', consumer.reason)
}

const idleReport = ({ reason, message }: Idle, tally: Tally | undefined): Found => ({
  verdicts:
    reason === 'TargetInvalid' || reason === 'NoConsumer'
      ? [verdict('Delivering', 'False', reason, message)]
      : [verdict('Delivering', 'False', 'Suspended', message), verdict('Suspended', 'True', reason, message)],
  ...(tally ? { delivery: deliveryStatus(tally) } : {}),
})

/** A change of meaning is written at once, at most five in a row, and then, like counts, every 10 s an object. */
const everyMs = 10_000
const burst = 5

type Entry = {
  subscription: Subscription
  tally?: Tally
  lane?: Lane
  idle?: Idle
  written: string
  meaning: string
  at: number
  tokens: number
}

export type ReporterOptions = {
  readonly store: Store
  readonly metrics: Pick<Metrics, 'statusWrites'>
  readonly log: Log
  now(): number
}

/** Writes what the dispatcher sees onto the subscriptions. Only those that changed are looked at. */
export const createReporter = ({ store, metrics, log, now }: ReporterOptions) => {
  const entries = new Map<string, Entry>()
  const dirty = new Set<Entry>()

  const known = (subscription: Subscription): Entry | undefined => {
    const entry = entries.get(idOf(subscription))
    return entry?.subscription.metadata.uid === subscription.metadata.uid ? entry : undefined
  }

  const entryOf = (subscription: Subscription): Entry => {
    const entry = known(subscription) ?? { subscription, written: '', meaning: '', at: 0, tokens: burst }
    entry.subscription = subscription
    entries.set(idOf(subscription), entry)
    return entry
  }

  const writeOne = async (entry: Entry): Promise<void> => {
    const at = now()
    const { namespace, name, uid } = entry.subscription.metadata
    const current = store.get(kind, namespace, name)
    const state = entry.lane?.state()
    if (state?.starting) return
    const found = state ? laneReport(state, at) : entry.idle && idleReport(entry.idle, entry.tally)
    if (current?.metadata.uid !== uid || found === undefined) {
      dirty.delete(entry)
      return
    }
    const { verdicts, delivery } = found
    const generation = state?.gone ?? current.metadata.generation
    const meaning = JSON.stringify([
      generation,
      verdicts.map(({ type, status, reason }) => [type, status, reason]),
      delivery?.deadLettered,
    ])
    const text = JSON.stringify([meaning, verdicts, delivery])
    // While attempts fail, time alone changes the verdict, so such a one is looked at again.
    if (!state || state.tally.failing === 0) dirty.delete(entry)
    if (text === entry.written) return
    entry.tokens = Math.min(burst, entry.tokens + (at - entry.at) / everyMs)
    const may = meaning === entry.meaning ? at - entry.at >= everyMs : entry.tokens >= 1
    if (!may) {
      dirty.add(entry)
      return
    }
    if (entry.at !== 0) entry.tokens -= 1
    Object.assign(entry, { written: text, meaning, at })
    const conditions = stamp(verdicts, current.status?.conditions, generation, new Date(at))
    await store.applyStatus(kind, current, 'waybill-dispatcher', { conditions, ...(delivery ? { delivery } : {}) })
    metrics.statusWrites.inc({ manager: 'waybill-dispatcher' })
  }

  return {
    /** The counts of a subscription since this process began to deliver it. */
    tallyOf(subscription: Subscription): Tally {
      const entry = entryOf(subscription)
      entry.tally ??= newTally()
      return entry.tally
    },
    changed(lane: Lane): void {
      const same = entries.get(lane.route.id)
      // Every message comes by here, and finds the lane that was there before.
      if (same?.lane === lane) {
        dirty.add(same)
        return
      }
      const entry = entryOf(lane.route.subscription)
      entry.lane = lane
      delete entry.idle
      dirty.add(entry)
    },
    idle(idle: Idle): void {
      const before = known(idle.subscription)
      if (before?.idle && before.idle.message === idle.message && before.subscription === idle.subscription) return
      const entry = entryOf(idle.subscription)
      entry.idle = idle
      delete entry.lane
      dirty.add(entry)
    },
    /** Says nothing more of a subscription until it is delivered or idle again. */
    dropped(subscription: Subscription): void {
      const entry = known(subscription)
      if (entry === undefined) return
      delete entry.lane
      delete entry.idle
      dirty.delete(entry)
    },
    /** Forgets a subscription that is gone. */
    forget(namespace: string, name: string): void {
      const id = `${kind.kind}/${namespace}/${name}`
      const entry = entries.get(id)
      if (entry) dirty.delete(entry)
      entries.delete(id)
    },
    /** Writes what may be written now. */
    async write(): Promise<void> {
      const results = await Promise.allSettled([...dirty].map(writeOne))
      for (const result of results) {
        if (result.status === 'rejected') log.warn({ error: result.reason }, 'Could not write a status')
      }
    },
  }
}
