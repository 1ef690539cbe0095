import type { RequestListener } from 'node:http'
import { createServer, type Server } from 'node:https'
import { repeat } from '../async/repeat.ts'
import { ListenError } from './listen.ts'

/** Certificate and key as they are now, in PEM. */
export type Tls = () => { readonly cert: Buffer; readonly key: Buffer }

export type SecureOptions = { readonly listen: string; readonly tls: Tls; readonly listener: RequestListener }

const renewEveryMs = 60_000

/**
 * A server for HTTPS. Certificate and key are asked for again from time to time until the signal: they are renewed while the
 * process runs.
 *
 * @throws ListenError where they cannot be used
 */
export const secureServer = ({ listen, tls, listener }: SecureOptions, signal: AbortSignal): Server => {
  let current = tls()
  let server: Server
  try {
    server = createServer({ ...current, minVersion: 'TLSv1.2' }, listener)
  } catch (cause) {
    throw new ListenError(`Cannot listen on ${listen}: the certificate or its key cannot be used`, { cause })
  }
  const renew = (): void => {
    try {
      const next = tls()
      if (next.cert.equals(current.cert) && next.key.equals(current.key)) return
      server.setSecureContext({ ...next, minVersion: 'TLSv1.2' })
      current = next
    } catch {
      // Half written: the one before stays, and is replaced the next time.
    }
  }
  void repeat(renewEveryMs, renew, signal)
  return server
}
