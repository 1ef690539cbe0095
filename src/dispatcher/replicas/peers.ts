import dns from 'node:dns/promises'
import { isIPv6 } from 'node:net'

/** An address of replicas that cannot be parsed. */
export class PeerNameError extends Error {
  override readonly name = 'PeerNameError'
}

/** Where replicas listen: all addresses of a host. */
export type PeerName = { readonly host: string; readonly port: number }

/** Parses `host:port` or `[::1]:port`. @throws PeerNameError */
export const peerName = (text: string): PeerName => {
  const [, bracketed, plain, digits] = /^(?:\[([^[\]\s/]+)\]|([^[\]\s/:]+)):(\d{1,5})$/.exec(text) ?? []
  const host = bracketed ?? plain
  const port = Number(digits)
  if (host === undefined || port < 1 || port > 65535) {
    throw new PeerNameError(
      `${JSON.stringify(text)} is not a valid peer address: expected host:port, such as waybill-dispatcher:9402`,
    )
  }
  return { host, port }
}

/** More than a name of replicas ever has. */
const mostAddresses = 100

/** The origins of all addresses that a name has now; none where the name does not exist. */
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
