import { pause } from '../../../async/abort.ts'
import type { Leadership } from '../../leadership.ts'
import type { Held, LeaseRecord } from './lease-record.ts'

/** The lease is another's, or may be. */
export class LeaseLost extends Error {
  override readonly name = 'LeaseLost'
}

/** The holder gives up this long after it sent the last renewal that succeeded, well before another may take the lease. */
const renewWithinMs = 10_000
const renewEveryMs = 2_000
/** After a renewal that failed; soon, so that several tries fit into the time that is left. */
const renewAgainMs = renewEveryMs / 4
/** For each request; time for three of them is left when the first has failed. */
export const answerWithinMs = 3_000

export type Holding = {
  readonly record: LeaseRecord
  readonly identity: string
  lost(reason: string): void
  failed(error: unknown): void
}

/** Does `work` while renewing the lease. Resolves to the lease as it is held after that, to `undefined` where it was lost. */
export const hold = async (
  first: Held,
  holding: Holding,
  work: (leadership: Leadership) => Promise<void>,
  signal: AbortSignal,
): Promise<Held | undefined> => {
  const [ended, done] = [new AbortController(), new AbortController()]
  const tenure = tenureOf(first, holding, ended)
  const renewing = keepRenewing(tenure, holding, done.signal)
  try {
    await work({ signal: AbortSignal.any([signal, ended.signal]), fence: tenure.fence })
  } catch (error) {
    if (!(error instanceof LeaseLost)) throw error
  } finally {
    done.abort()
    await renewing
  }
  if (ended.signal.aborted) return undefined
  // Writes that still wait somewhere are fenced from now on.
  ended.abort(new LeaseLost('The leadership has ended'))
  return tenure.held()
}

/** The lease as it is held, until `ended`. */
const tenureOf = (first: Held, { lost }: Pick<Holding, 'lost'>, ended: AbortController) => {
  let held = first
  const leftMs = (): number => held.sentAt + renewWithinMs - performance.now()
  const lose = (reason: string): void => {
    if (ended.signal.aborted) return
    lost(reason)
    ended.abort(new LeaseLost(`The lease was lost: ${reason}`))
  }
  return {
    held: () => held,
    leftMs,
    lose,
    isOver: () => ended.signal.aborted,
    fence(): void {
      if (leftMs() <= 0) lose(`it was not renewed for ${renewWithinMs / 1000} s`)
      ended.signal.throwIfAborted()
    },
    renewed(next: Held): void {
      held = next
    },
  }
}

type Tenure = ReturnType<typeof tenureOf>

const keepRenewing = async (tenure: Tenure, holding: Holding, done: AbortSignal): Promise<void> => {
  for (let waitMs = renewEveryMs; ; ) {
    await pause(Math.max(0, Math.min(waitMs, tenure.leftMs())), done)
    if (done.aborted) return
    try {
      tenure.fence()
      const next = await renew(tenure, holding)
      if (next) tenure.renewed(next)
      else tenure.lose('another holds it')
      waitMs = renewEveryMs
    } catch (error) {
      if (!tenure.isOver()) holding.failed(error)
      waitMs = renewAgainMs
    }
    if (tenure.isOver()) return
  }
}

/** `undefined` where it is another's. The end of the work never cuts it short: whether it was written would be unknown. */
const renew = async ({ held, leftMs }: Tenure, { record, identity }: Holding): Promise<Held | undefined> => {
  const within = AbortSignal.timeout(Math.max(0, Math.ceil(Math.min(answerWithinMs, leftMs()))))
  const again = await record.claim(held().lease, within)
  if (again) return again
  // It was written since: by another that took it, or by a person who deleted it or put a label on it.
  const found = await record.read(within)
  return found === undefined || found.spec?.holderIdentity === identity ? record.claim(found, within) : undefined
}
