/**
 * One process of a kind leads at a time: candidates take a Lease, renew it, and write nothing once it may be another's.
 * Nothing here knows what the leader does.
 */
import { pause } from '../../../async/abort.ts'
import { jittered } from '../../../async/backoff.ts'
import type { Leadership } from '../../leadership.ts'
import type { Log } from '../../log.ts'
import type { Client } from '../api/client.ts'
import { answerWithinMs, hold } from './hold.ts'
import { type Held, type LeaseRecord, leaseRecord, type Named } from './lease-record.ts'
import { watchRival } from './rival.ts'
import { warnSometimes } from './warn-sometimes.ts'

export { LeaseLost } from './hold.ts'

/** The longest time between two reads of the lease by a candidate. */
const readEveryMs = 2_000

export type LeaseOptions = Named & {
  readonly log: Pick<Log, 'info' | 'warn'>
}

/**
 * Waits for the lease, does `work` for as long as it is held, and becomes a candidate again when it was lost; until the
 * signal. Then it waits for `work`, whose leadership has ended, and releases the lease. Rejects with whatever `work`
 * rejects with, but for the loss of the lease. `identity` must be unlike that of any other process.
 *
 * The rules are those of client-go: another machine's clock is never compared with ours. A lease is its holder's for its
 * whole duration from the moment at which it was seen to change; also when it was deleted, for its holder may not know yet.
 * https://pkg.go.dev/k8s.io/client-go/tools/leaderelection
 */
export const lead = async (
  client: Pick<Client, 'request'>,
  { log, ...named }: LeaseOptions,
  work: (leadership: Leadership) => Promise<void>,
  signal: AbortSignal,
): Promise<void> => {
  const { namespace, name, identity } = named
  const fields = { lease: `${namespace}/${name}`, identity }
  const election: Election = {
    record: leaseRecord(client, named),
    identity,
    standingBy: (holder) => log.info({ ...fields, holder }, 'Standing by, another process holds the lease'),
    failed: warnSometimes(log, fields, { message: 'Could not read or write the lease', everyMs: 10_000 }),
  }
  const lost = (reason: string): void => log.warn({ ...fields, reason }, 'Lost the lease')

  for (let held = await acquire(election, signal); held; held = await acquire(election, signal)) {
    if (!signal.aborted) {
      const transitions = held.lease.spec?.leaseTransitions ?? 0
      log.info({ ...fields, transitions }, 'Leading, this process holds the lease')
      held = await hold(held, { ...election, lost }, work, signal)
    }
    if (held === undefined) continue
    const released = await election.record.free(held, AbortSignal.timeout(answerWithinMs)).catch(election.failed)
    if (released) log.info(fields, 'Released the lease')
    return
  }
}

type Election = {
  readonly record: LeaseRecord
  readonly identity: string
  standingBy(holder: string): void
  failed(error: unknown): void
}

/** Waits for the lease; `undefined` where the signal aborts first. */
const acquire = async (
  { record, identity, standingBy, failed }: Election,
  signal: AbortSignal,
): Promise<Held | undefined> => {
  const rival = watchRival(identity)
  let behind: string | undefined
  while (!signal.aborted) {
    try {
      const lease = await record.read(AbortSignal.any([signal, AbortSignal.timeout(answerWithinMs)]))
      rival.saw(lease)
      if (rival.reliesForMs() === 0) {
        const held = await record.claim(lease, AbortSignal.timeout(answerWithinMs))
        if (held) return held
      } else if (rival.name() !== behind) {
        behind = rival.name()
        standingBy(behind)
      }
    } catch (error) {
      if (!signal.aborted) failed(error)
    }
    const soonMs = jittered(readEveryMs)
    const freeInMs = rival.reliesForMs() + 50 * Math.random()
    await pause(freeInMs < 50 ? soonMs : Math.min(soonMs, freeInMs), signal)
  }
  return undefined
}
