import { errors } from 'undici'
import type { Failure, Outcome } from '../delivery/attempt/outcome.ts'

const byCode: Readonly<Record<string, Failure>> = {
  WAYBILL_BLOCKED_ADDRESS: 'blocked-address',
  ECONNREFUSED: 'refused',
  EHOSTUNREACH: 'unreachable',
  ENETUNREACH: 'unreachable',
  EHOSTDOWN: 'unreachable',
  ENETDOWN: 'unreachable',
  EADDRNOTAVAIL: 'unreachable',
  ECONNRESET: 'reset',
  ECONNABORTED: 'reset',
  EPIPE: 'reset',
  UND_ERR_SOCKET: 'reset',
  ETIMEDOUT: 'timeout',
  UND_ERR_CONNECT_TIMEOUT: 'timeout',
  ENOTFOUND: 'dns',
  ENODATA: 'dns',
  EPROTO: 'tls',
  UND_ERR_HEADERS_OVERFLOW: 'bad-answer',
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: 'bad-answer',
}

/** Families of codes: of getaddrinfo, of OpenSSL and its certificate checks. */
const byPattern: readonly (readonly [RegExp, Failure])[] = [
  [/^EAI_/, 'dns'],
  [/^ERR_(TLS|SSL|OSSL)_|CERT|^UNABLE_TO_|^(INVALID_(CA|PURPOSE)|PATH_LENGTH_EXCEEDED|HOSTNAME_MISMATCH|CRL_)/, 'tls'],
]

const meaning: Readonly<Record<Failure, string>> = {
  timeout: 'No connection in time',
  refused: 'The connection was refused',
  unreachable: 'The address cannot be reached',
  reset: 'The connection was closed before an answer',
  dns: 'The name of the host cannot be resolved',
  tls: 'No trusted TLS connection',
  'blocked-address': 'The address is one that subscribers must not have',
  'bad-answer': 'The answer is not valid HTTP',
  other: 'The attempt failed',
}

/**
 * What an error of the HTTP client means. Decided by its code; its message, which may show addresses or a part of the
 * answer, is not passed on.
 */
export const outcomeOf = (error: Error): Outcome => {
  const code = codeOf(error)
  if (code === 'UND_ERR_DESTROYED' || code === 'UND_ERR_CLOSED') return { kind: 'abandoned' }
  if (code === 'UND_ERR_INVALID_ARG' || code === 'UND_ERR_NOT_SUPPORTED') {
    return { kind: 'unsendable', message: `No request can be made of this message: ${error.message.slice(0, 200)}` }
  }
  const failure = failureOf(error, code)
  return { kind: 'failed', failure, message: code === '' ? meaning[failure] : `${meaning[failure]} (${code})` }
}

const failureOf = (error: Error, code: string): Failure => {
  // The parser's errors have no code of their own for everything.
  if (error instanceof errors.HTTPParserError) return 'bad-answer'
  return byCode[code] ?? byPattern.find(([pattern]) => pattern.test(code))?.[1] ?? 'other'
}

const codeOf = (error: Error): string => ('code' in error && typeof error.code === 'string' ? error.code : '')
