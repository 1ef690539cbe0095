import dns from 'node:dns/promises'
import { isIPv6 } from 'node:net'

/** A name of replicas that cannot be read. */
export class PeerNameError extends Error {
  override readonly name = 'PeerNameError'
}

/** Where replicas listen: all addresses of a host. */
export type PeerName = { readonly host: string; readonly port: number }

/** Reads `host:port` or `[::1]:port`. @throws PeerNameError */
export const peerName = (text: string): PeerName => {
  const [, bracketed, plain, digits] = /^(?:\[([^[\]\s/]+)\]|([^[\]\s/:]+)):(\d{1,5})$/.exec(text) ?? []
  const host = bracketed ?? plain
  const port = Number(digits)
  if (host === undefined || port < 1 || port > 65535) {
    throw new PeerNameError(
      `No address of replicas is ${JSON.stringify(text)}: give host:port, such as waybill-dispatcher:9402`,
    )
  }
  return { host, port }
}

/** More than a name of replicas ever has. */
const mostAddresses = 100

/** The origins of all addresses that a name has now; none where there is no such name. */
export const originsOf = async ({ host, port }: PeerName): Promise<readonly string[]> => {
  try {
    const found = await dns.lookup(host, { all: true })
    return found
      .slice(0, mostAddresses)
      .map(({ address }) => `http://${isIPv6(address) ? `[${address}]` : address}:${port}`)
  } catch (error) {
    // A Service has no addresses while no replica is ready.
    if (error instanceof Error && 'code' in error && error.code === 'ENOTFOUND') return []
    throw error
  }
}
