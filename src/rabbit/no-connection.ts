import { BrokerError } from './broker-error.ts'

type Where = {
  /** `The management API at rabbit:15672` */
  readonly what: string
  readonly host: string
  readonly secure: boolean
  /** How to choose the other of plain and TLS, such as `write https:// in management_uri`. */
  readonly otherScheme: string
}

/** Why there was no answer from the network, and what to do: nothing that was heard is called silence. */
export const noConnection = (error: unknown, where: Where): BrokerError => {
  const { code, message }: { code?: unknown; message?: unknown } = Object(error)
  const [kind, says] = saying(String(code ?? ''), String(message ?? error), where)
  return new BrokerError(kind, `${where.what} ${says}`, { cause: error })
}

type Said = readonly ['unreachable' | 'tls', string]

const saying = (code: string, message: string, { host, secure, otherScheme }: Where): Said => {
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') {
    const names = message.match(/cert's altnames: (.*)$/)?.[1] ?? message
    return [
      'tls',
      `has a certificate for other names than ${host} (it has ${names}): use one of these names, or issue it for ${host}`,
    ]
  }
  if (code === 'CERT_HAS_EXPIRED' || code === 'CERT_NOT_YET_VALID') {
    return ['tls', `has a certificate that is not valid now (${code}): renew it`]
  }
  if (untrusted.has(code)) {
    return [
      'tls',
      `has a certificate that is not trusted (${code}): name the authority that issued it in spec.tls.caSecretRef`,
    ]
  }
  if (isPlain(code, message)) {
    return ['tls', `does not speak TLS: this is a plain port; ${otherScheme}`]
  }
  if (/^(ERR_SSL_|ERR_TLS_|EPROTO$)/.test(code)) return ['tls', `and this client cannot agree on TLS (${code})`]
  if (!secure && (closed.has(code) || code.startsWith('HPE_'))) {
    return ['unreachable', `ended the connection without an answer (${code}); if it is a TLS port, ${otherScheme}`]
  }
  return ['unreachable', elsewise(code, message, host)]
}

/** What was taken for the other side's TLS was something else. */
const isPlain = (code: string, message: string): boolean =>
  /^(EPROTO|ERR_SSL_)/.test(code) && /wrong.version.number|packet.length.too.long|http.request/i.test(code + message)

const elsewise = (code: string, message: string, host: string): string => {
  if (code === 'ECONNREFUSED') return 'does not listen (ECONNREFUSED): check the address, and that the broker runs'
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') return `cannot be found: the name ${host} is not known (${code})`
  if (closed.has(code)) return `ended the connection without an answer (${code})`
  if (code.startsWith('HPE_')) return `answered something other than HTTP (${code})`
  return `did not answer: ${code || message}`
}

const closed: ReadonlySet<string> = new Set(['UND_ERR_SOCKET', 'ECONNRESET', 'EPIPE'])

/** https://nodejs.org/api/tls.html#x509-certificate-error-codes */
const untrusted: ReadonlySet<string> = new Set([
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'CERT_SIGNATURE_FAILURE',
  'CERT_UNTRUSTED',
  'INVALID_CA',
  'HOSTNAME_MISMATCH',
])
