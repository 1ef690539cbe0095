import { isIP } from 'node:net'
import { type AddressGuard, BlockedAddressError } from '../address-guard.ts'
import { outcomeOf } from '../failure.ts'
import type { Interceptor } from '../interceptor.ts'

/**
 * Refuses an origin whose host is a blocked address, before anything is connected to. A host that is a name costs nothing
 * here: it is checked where it is resolved, so that what is connected to is what was checked (see `AddressGuard.lookup`).
 */
export const guard = ({ isBlocked }: AddressGuard, origin: string): Interceptor => {
  const host = new URL(origin).hostname.replace(/^\[(.*)\]$/, '$1')
  if (isIP(host) === 0 || !isBlocked(host)) return (next) => next
  const blocked = outcomeOf(new BlockedAddressError(`${host} is a blocked address`))
  return () => (_, call) => {
    call.end(blocked)
    return call.outcome
  }
}
