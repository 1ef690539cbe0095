import dns from 'node:dns'
import { isIP, type LookupFunction } from 'node:net'

/** An address for a name, or with `*.` in front for every name that ends so. */
export type Entry = { readonly name: string; readonly address: string }

/** Reads `name=address`; `undefined` where that is not what it is. */
export const entryOf = (text: string): Entry | undefined => {
  const [, name, address = ''] = /^((?:\*\.)?[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?)=(\S+)$/i.exec(text) ?? []
  return name === undefined || isIP(address) === 0 ? undefined : { name: name.toLowerCase(), address }
}

/** Resolves the names of the first entry that fits to its address, and all others as the system does. */
export const lookupOf =
  (entries: readonly Entry[]): LookupFunction =>
  (hostname, options, callback) => {
    const asked = hostname.toLowerCase()
    const fitting = entries.find(({ name }) => (name.startsWith('*.') ? asked.endsWith(name.slice(1)) : asked === name))
    dns.lookup(fitting?.address ?? hostname, options, callback)
  }
