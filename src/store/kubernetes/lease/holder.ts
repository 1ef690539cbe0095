import { repeat } from '../../../async/repeat.ts'
import type { Presence } from '../../leadership.ts'
import type { Log } from '../../log.ts'
import type { Client } from '../api/client.ts'
import { answerWithinMs } from './hold.ts'
import { leaseRecord, type Named } from './lease-record.ts'
import { watchRival } from './rival.ts'
import { warnSometimes } from './warn-sometimes.ts'

const readEveryMs = 3_000
/** A successor takes a lease that is free within its own reading interval. */
const graceMs = 6_000

/**
 * Watches whether any process holds a lease, from one that is no candidate for it, until the signal. A lease that cannot be read
 * is taken for held.
 */
export const watchHolder = (
  client: Pick<Client, 'request'>,
  { log, ...named }: Omit<Named, 'identity'> & { readonly log: Pick<Log, 'warn'> },
  signal: AbortSignal,
): Presence => {
  const identity = ''
  const record = leaseRecord(client, { ...named, identity })
  const holder = watchRival(identity)
  const listeners = new Set<() => void>()
  let freeSince: number | undefined
  let isAbsent = false
  const lease = `${named.namespace}/${named.name}`
  const failed = warnSometimes(
    log,
    { lease },
    { message: 'Could not read the lease of the dispatchers', everyMs: 60_000 },
  )

  const look = async (): Promise<void> => {
    const now = performance.now()
    try {
      holder.saw(await record.read(AbortSignal.any([signal, AbortSignal.timeout(answerWithinMs)])))
      freeSince = holder.reliesForMs() > 0 ? undefined : (freeSince ?? now)
    } catch (error) {
      freeSince = undefined
      if (signal.aborted) return
      failed(error)
    }
    const before = isAbsent
    isAbsent = freeSince !== undefined && performance.now() - freeSince >= graceMs
    if (isAbsent !== before) for (const listener of listeners) listener()
  }

  void repeat(readEveryMs, look, signal)
  return {
    isAbsent: () => isAbsent,
    onChange(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
  }
}
