import { X509Certificate } from 'node:crypto'
import type { ServerOptions } from '../../server/server.ts'

/** What a dispatcher's Lease says of its data port, for those who forward it to themselves. */
export const dataAnnotations = {
  port: 'waybill.dev/data-port',
  /** SHA-256 of its certificate; left out where it does not speak TLS. */
  certificate: 'waybill.dev/data-certificate',
} as const

/** The annotations for a data port; what is undefined goes. */
export const dataNotice =
  (served: { readonly port: number; readonly tls?: ServerOptions['tls'] } | undefined) =>
  (): Readonly<Record<string, string | undefined>> => {
    const { port, certificate } = dataAnnotations
    if (served === undefined) return { [port]: undefined, [certificate]: undefined }
    const known = { [port]: String(served.port) }
    try {
      const cert = served.tls?.().cert
      return { ...known, [certificate]: cert && new X509Certificate(cert).fingerprint256 }
    } catch {
      // Half written: what was said before stays.
      return known
    }
  }
