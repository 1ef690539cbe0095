import { setTimeout as delay } from 'node:timers/promises'
import type { Held, LeaseRecord } from './lease-record.ts'

/** The lease is another's, or may be. */
export class LeaseLost extends Error {
  override readonly name = 'LeaseLost'
}

/** The time during which this process holds the lease. */
export type Leadership = {
  /** Aborts when the lease is lost, with {@link LeaseLost}, and when the process is to stop. */
  readonly signal: AbortSignal
  /**
   * Ask right before each write. It goes by the monotonic clock alone, so it answers truly even in the first callback
   * of a process that was stopped for a while. While the process is to stop the lease is still held. @throws LeaseLost
   */
  fence(): void
}

/** The holder gives up this long after it sent the last renewal that succeeded, well before anybody may take the lease. */
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
  { record, identity, lost: tell, failed }: Holding,
  work: (term: Leadership) => Promise<void>,
  signal: AbortSignal,
): Promise<Held | undefined> => {
  const [ended, done] = [new AbortController(), new AbortController()]
  let held = first

  const lose = (why: string): void => {
    if (ended.signal.aborted) return
    tell(why)
    ended.abort(new LeaseLost(`The lease was lost: ${why}`))
  }
  const leftMs = (): number => held.sentAt + renewWithinMs - performance.now()
  const fence = (): void => {
    if (leftMs() <= 0) lose(`it was not renewed for ${renewWithinMs / 1000} s`)
    ended.signal.throwIfAborted()
  }

  /** `undefined` where it is somebody else's. Never cut short by the end of the work: what it wrote would be unknown. */
  const renewed = async (): Promise<Held | undefined> => {
    const within = AbortSignal.timeout(Math.max(0, Math.ceil(Math.min(answerWithinMs, leftMs()))))
    const again = await record.claim(held.lease, within)
    if (again) return again
    // Somebody wrote it since: another who took it, or a person who deleted it or put a label on it.
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
  // What is still waiting somewhere to be written is nobody's any more.
  ended.abort(new LeaseLost('The term is over'))
  return held
}
