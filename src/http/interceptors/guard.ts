import { isIP } from 'node:net'
import { type AddressGuard, BlockedAddressError } from '../address-guard.ts'
import { outcomeOf } from '../failure.ts'
import type { Interceptor } from '../interceptor.ts'

/** The host of an origin, where it is an address that is blocked: nothing will ever be sent there. */
export const blockedHost = ({ isBlocked }: Pick<AddressGuard, 'isBlocked'>, origin: string): string | undefined => {
  const host = new URL(origin).hostname.replace(/^\[(.*)\]$/, '$1')
  return isIP(host) !== 0 && isBlocked(host) ? host : undefined
}

/**
 * Refuses an origin whose host is a blocked address, before anything is connected to. A host that is a name costs nothing
 * here: it is checked where it is resolved, so that what is connected to is what was checked (see `AddressGuard.lookup`).
 */
export const guard = (addresses: AddressGuard, origin: string): Interceptor => {
  const host = blockedHost(addresses, origin)
  if (host === undefined) return (next) => next
  const blocked = outcomeOf(new BlockedAddressError(`${host} is a blocked address`))
  return () => (_, call) => {
    call.end(blocked)
    return call.outcome
  }
}
