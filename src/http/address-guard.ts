import dns from 'node:dns'
import { BlockList, isIP, type LookupFunction } from 'node:net'

/** Which addresses a subscriber may have. The administrator of the process decides, never the author of a resource. */
export type AddressRules = {
  /** Whether subscribers on this machine may be reached, as on a laptop. */
  readonly loopback: boolean
}

/** A subscriber has an address that is not allowed: nothing was sent to it. */
export class BlockedAddressError extends Error {
  override readonly name = 'BlockedAddressError'
  readonly code = 'WAYBILL_BLOCKED_ADDRESS'
}

export type AddressGuard = {
  readonly isBlocked: (address: string) => boolean
  /** Resolves names for `net.connect` to the addresses that are not blocked: connections go only to what was checked. */
  readonly lookup: LookupFunction
}

type Network = readonly [address: string, bits: number]

/**
 * Link-local, where cloud providers hand out credentials, and the other addresses of their metadata services
 * (Azure, Alibaba, Oracle; AWS and Google over IPv6). No subscriber lives there.
 */
const metadataIPv4: readonly Network[] = [
  ['169.254.0.0', 16],
  ['168.63.129.16', 32],
  ['100.100.100.200', 32],
  ['192.0.0.192', 32],
]
const metadataIPv6: readonly Network[] = [
  ['fe80::', 10],
  ['fd00:ec2::254', 128],
  ['fd20:ce::254', 128],
]

/**
 * Guards connections against addresses that a tenant must not reach through Waybill. `net.connect` does not call `lookup`
 * for a literal address: check that with `isBlocked`. Private networks stay open: Services are there.
 */
export const addressGuard = (rules: AddressRules, ask: LookupFunction = dns.lookup): AddressGuard => {
  const list = new BlockList()
  for (const network of metadataIPv4) blockEverywhere(list, network)
  for (const [address, bits] of metadataIPv6) list.addSubnet(address, bits, 'ipv6')
  if (!rules.loopback) {
    blockEverywhere(list, ['127.0.0.0', 8])
    // A connection to the unspecified address reaches this machine.
    list.addSubnet('0.0.0.0', 8, 'ipv4')
    list.addSubnet('::', 127, 'ipv6')
  }

  const isBlocked = (address: string): boolean => {
    const [bare = address] = address.split('%', 1)
    return list.check(bare, isIP(bare) === 6 ? 'ipv6' : 'ipv4')
  }

  const resolve = sharedLookup(ask)
  const lookup: LookupFunction = (hostname, options, callback) => {
    resolve(hostname, (error, found) => {
      if (error) return callback(error, '', 0)
      const allowed = found.filter(({ address }) => !isBlocked(address))
      const [first] = allowed
      if (first === undefined) callback(new BlockedAddressError(`${hostname} has only blocked addresses`), '', 0)
      else if (options.all) callback(null, allowed)
      else callback(null, first.address, first.family)
    })
  }

  return { isBlocked, lookup }
}

/**
 * Blocks a network of IPv4 and its images in IPv6: IPv4-compatible `::/96`, NAT64 `64:ff9b::/96` (RFC 6052) and
 * `64:ff9b:1::/48` (RFC 8215), 6to4 `2002::/16` (RFC 3056). Node's BlockList matches the IPv4-mapped ones itself.
 */
const blockEverywhere = (list: BlockList, [address, bits]: Network): void => {
  list.addSubnet(address, bits, 'ipv4')
  const [a = 0, b = 0, c = 0, d = 0] = address.split('.').map(Number)
  const groups = `${((a << 8) | b).toString(16)}:${((c << 8) | d).toString(16)}`
  for (const prefix of ['::', '64:ff9b::', '64:ff9b:1::']) list.addSubnet(prefix + groups, 96 + bits, 'ipv6')
  list.addSubnet(`2002:${groups}::`, 16 + bits, 'ipv6')
}

type Resolved = (error: NodeJS.ErrnoException | null, addresses: dns.LookupAddress[]) => void

/**
 * Has at most one query for a name under way, shared by all that ask for it. The system's resolver has a handful of threads
 * for the whole process: a name server that hangs for one subscriber must not block them all.
 */
const sharedLookup = (ask: LookupFunction): ((hostname: string, resolved: Resolved) => void) => {
  const waiting = new Map<string, Resolved[]>()
  return (hostname, resolved) => {
    const others = waiting.get(hostname)
    if (others !== undefined) {
      others.push(resolved)
      return
    }
    const all = [resolved]
    waiting.set(hostname, all)
    ask(hostname, { all: true }, (error, addresses) => {
      waiting.delete(hostname)
      for (const each of all) each(error, Array.isArray(addresses) ? addresses : [])
    })
  }
}
