import { type End, OpenError } from './ended.ts'
import type { Step } from './handshake.ts'

const accessRefused = 403
const notAllowed = 530
const tlsAlert = 0x15

/** What it means that the peer ended a handshake. */
export const closedError = (
  end: End,
  { step, firstByte }: { readonly step: Step; readonly firstByte: number | undefined },
): OpenError => {
  const { by, code, text } = end
  if (by === 'broker') {
    const isLimit = code === notAllowed && /\blimit\b/.test(text)
    const isLogin = step === 'login' && code === accessRefused
    const isVhost = step === 'open' && (code === notAllowed || code === accessRefused)
    return new OpenError(isLimit ? 'limit' : isLogin ? 'user' : isVhost ? 'vhost' : 'refused', text, code)
  }
  if (by === 'unreadable') {
    if (firstByte === tlsAlert) return new OpenError('speaks-tls', 'the port speaks TLS, and was spoken to without')
    return new OpenError('not-amqp', text)
  }
  return new OpenError('hung-up', `${text} before it was open`)
}

/** What an error of the socket means, before the connection was open. */
export const socketError = (
  error: Error & { code?: unknown },
  { protocol }: { readonly protocol: string },
): OpenError => {
  const code = typeof error.code === 'string' ? error.code : undefined
  // A failure to reach any of several addresses has no message, only a code.
  const text = error.message || code || error.name
  return new OpenError(kindOf(code, protocol === 'amqps'), text, code, { cause: error })
}

const kindOf = (code: string | undefined, isTls: boolean) => {
  if (code === undefined) return 'hung-up'
  if (isTls && isCertificate(code)) return 'certificate'
  if (isTls && (code === 'EPROTO' || code.startsWith('ERR_SSL_') || code === 'ERR_TLS_')) return 'not-tls'
  return code === 'ECONNRESET' || code === 'EPIPE' ? 'hung-up' : 'unreachable'
}

/** The names that OpenSSL has for what is wrong with a certificate. */
const isCertificate = (code: string): boolean =>
  /CERT|CRL|UNABLE_TO_|ALTNAME|SELF_SIGNED|ISSUER|PATH_LENGTH|INVALID_(CA|PURPOSE)/.test(code)
