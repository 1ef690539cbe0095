import { setTimeout as delay } from 'node:timers/promises'
import type { Held, LeaseRecord } from './lease-record.ts'

/** Another process holds the lease, or may hold it. */
export class LeaseLost extends Error {
  override readonly name = 'LeaseLost'
}

/** The time during which this process holds the lease. */
export type Leadership = {
  /** Aborts when the lease is lost, with {@link LeaseLost}, and when the process is to stop. */
  readonly signal: AbortSignal
  /**
   * Call it right before each write. It uses the monotonic clock alone, so it is right even in the first callback of a
   * process that was suspended. While the process shuts down, the lease is still held. @throws LeaseLost
   */
  fence(): void
}

/** The holder gives up this long after it sent its latest successful renewal, well before another may take the lease. */
const renewWithinMs = 10_000
const renewEveryMs = 2_000
/** For each request; time for three of them is left when the first has failed. */
export const answerWithinMs = 3_000

export type Holding = {
  readonly record: LeaseRecord
  readonly identity: string
  lost(why: string): void
  failed(error: unknown): void
}

/** Does `work` while renewing the lease. Resolves to the lease as it is held after that, to `undefined` where it was lost. */
export const hold = async (
  first: Held,
  { record, identity, lost, failed }: Holding,
  work: (leadership: Leadership) => Promise<void>,
  signal: AbortSignal,
): Promise<Held | undefined> => {
  const [ended, done] = [new AbortController(), new AbortController()]
  let held = first

  const lose = (why: string): void => {
    if (ended.signal.aborted) return
    lost(why)
    ended.abort(new LeaseLost(`The lease was lost: ${why}`))
  }
  const leftMs = (): number => held.sentAt + renewWithinMs - performance.now()
  const fence = (): void => {
    if (leftMs() <= 0) lose(`it was not renewed for ${renewWithinMs / 1000} s`)
    ended.signal.throwIfAborted()
  }

  /** `undefined` where another holds it. Never aborted by the end of the work: whether it was written would be unknown. */
  const renewed = async (): Promise<Held | undefined> => {
    const within = AbortSignal.timeout(Math.max(0, Math.ceil(Math.min(answerWithinMs, leftMs()))))
    const again = await record.claim(held.lease, within)
    if (again) return again
    // It was written since: another process took it, or a person deleted or labelled it.
    const found = await record.read(within)
    return found === undefined || found.spec?.holderIdentity === identity ? record.claim(found, within) : undefined
  }

  const renew = async (): Promise<void> => {
    let waitMs = renewEveryMs
    while (await delay(Math.max(0, Math.min(waitMs, leftMs())), true, { signal: done.signal }).catch(() => false)) {
      try {
        fence()
        const next = await renewed()
        if (next) held = next
        else lose('another holds it')
        waitMs = renewEveryMs
      } catch (error) {
        if (!ended.signal.aborted) failed(error)
        waitMs = renewEveryMs / 4
      }
      if (ended.signal.aborted) return
    }
  }

  const renewing = renew()
  try {
    await work({ signal: AbortSignal.any([signal, ended.signal]), fence })
  } catch (error) {
    if (!(error instanceof LeaseLost)) throw error
  } finally {
    done.abort()
    await renewing
  }
  if (ended.signal.aborted) return undefined
  // A write that still waits somewhere must not be sent.
  ended.abort(new LeaseLost('The leadership has ended'))
  return held
}
