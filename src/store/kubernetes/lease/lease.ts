import { backoffMs, pause } from '../../../async/backoff.ts'
import type { Log } from '../../log.ts'
import type { Client } from '../api/client.ts'
import { answerWithinMs, hold, type Leadership } from './leadership.ts'
import { durationMs, type Held, type Lease, type LeaseSpec, leaseRecord, type Named } from './lease-record.ts'

export { type Leadership, LeaseLost } from './leadership.ts'

/** A candidate reads the lease at least this often. */
const observeEvery = { first: 2_000, most: 2_000 }
const warnEveryMs = 10_000

export type LeaseOptions = Named & {
  readonly log: Pick<Log, 'info' | 'warn'>
}

/**
 * Waits for the lease, does `work` for as long as it is held, and becomes a candidate again when it was lost; until the
 * signal. Then it waits for `work`, whose leadership has ended, and releases the lease. Rejects with what `work` rejects
 * with, except for the loss of the lease. `identity` must differ from that of every other process.
 *
 * The rules are those of client-go: another machine's clock is never compared with ours. A lease is its holder's for its
 * whole duration from the moment at which it was seen to change; also when it was deleted, as its holder may not know yet.
 * https://pkg.go.dev/k8s.io/client-go/tools/leaderelection
 */
export const lead = async (
  client: Pick<Client, 'request'>,
  { log, ...named }: LeaseOptions,
  work: (leadership: Leadership) => Promise<void>,
  signal: AbortSignal,
): Promise<void> => {
  const { namespace, name, identity } = named
  const record = leaseRecord(client, named)
  const fields = { lease: `${namespace}/${name}`, identity }
  let warnedAt = Number.NEGATIVE_INFINITY
  const failed = (error: unknown): void => {
    if (performance.now() - warnedAt < warnEveryMs) return
    warnedAt = performance.now()
    const reason = error instanceof Error ? error.message : String(error)
    log.warn({ ...fields, reason }, 'Could not read or write the lease')
  }
  const lost = (reason: string): void => log.warn({ ...fields, reason }, 'Lost the lease')

  const acquire = async (): Promise<Held | undefined> => {
    const rival = watchRival(identity)
    let behind: string | undefined
    while (!signal.aborted) {
      try {
        const lease = await record.read(AbortSignal.any([signal, AbortSignal.timeout(answerWithinMs)]))
        rival.observe(lease)
        if (rival.reliesForMs() === 0) {
          const held = await record.claim(lease, AbortSignal.timeout(answerWithinMs))
          if (held) return held
        } else if (rival.name() !== behind) {
          behind = rival.name()
          log.info({ ...fields, holder: behind }, 'Standing by: another process holds the lease')
        }
      } catch (error) {
        if (!signal.aborted) failed(error)
      }
      const soon = backoffMs(1, observeEvery)
      const free = rival.reliesForMs() + 50 * Math.random()
      await pause(free < 50 ? soon : Math.min(soon, free), signal)
    }
    return undefined
  }

  for (let held = await acquire(); held; held = await acquire()) {
    if (!signal.aborted) {
      log.info(
        { ...fields, transitions: held.lease.spec?.leaseTransitions ?? 0 },
        'Leading: this process holds the lease',
      )
      held = await hold(held, { record, identity, lost, failed }, work, signal)
    }
    if (held === undefined) continue
    const released = await record.free(held, AbortSignal.timeout(answerWithinMs)).catch(failed)
    if (released) log.info(fields, 'Released the lease')
    return
  }
}

/** What a candidate knows of the holder of the lease. */
const watchRival = (identity: string) => {
  let seen: { readonly text: string; readonly spec: LeaseSpec; readonly at: number } | undefined
  return {
    observe(lease: Lease | undefined): void {
      const spec = lease ? lease.spec : seen?.spec
      const text = JSON.stringify([lease === undefined, spec])
      if (seen?.text !== text) seen = { text, spec: spec ?? {}, at: performance.now() }
    },
    name: (): string => seen?.spec.holderIdentity ?? '',
    /** How long it may still rely on the lease; 0 where there is no rival. */
    reliesForMs(): number {
      const { holderIdentity, leaseDurationSeconds: seconds } = seen?.spec ?? {}
      if (seen === undefined || !holderIdentity || holderIdentity === identity) return 0
      return Math.max(0, seen.at + (seconds ? seconds * 1000 : durationMs) - performance.now())
    },
  }
}
