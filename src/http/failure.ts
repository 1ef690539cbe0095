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

/** Families of codes: those of getaddrinfo, of OpenSSL and of its certificate checks. */
const byPattern: readonly (readonly [RegExp, Failure])[] = [
  [/^EAI_/, 'dns'],
  [/^ERR_(TLS|SSL|OSSL)_|CERT|^UNABLE_TO_|^(INVALID_(CA|PURPOSE)|PATH_LENGTH_EXCEEDED|HOSTNAME_MISMATCH|CRL_)/, 'tls'],
]

const meaning: Readonly<Record<Failure, string>> = {
  timeout: 'Could not connect in time',
  refused: 'The connection was refused',
  unreachable: 'The address cannot be reached',
  reset: 'The connection was closed before an answer',
  dns: 'The host name cannot be resolved',
  tls: 'No trusted TLS connection',
  'blocked-address': 'Subscribers must not have this address',
  'bad-answer': 'The answer is not valid HTTP',
  other: 'The attempt failed',
}

/**
 * The outcome that an error of the HTTP client means. Decided by its code; its message is not passed on, because it may show
 * addresses or a part of the answer.
 */
export const outcomeOf = (error: Error): Outcome => {
  const code = codeOf(error)
  if (code === 'UND_ERR_DESTROYED' || code === 'UND_ERR_CLOSED') return { kind: 'abandoned' }
  if (code === 'UND_ERR_INVALID_ARG' || code === 'UND_ERR_NOT_SUPPORTED') {
    return { kind: 'unsendable', message: `The message cannot be sent over HTTP: ${error.message.slice(0, 200)}` }
  }
  const failure = failureOf(error, code)
  return { kind: 'failed', failure, message: code === '' ? meaning[failure] : `${meaning[failure]} (${code})` }
}

const failureOf = (error: Error, code: string): Failure => {
  // Not every error of the parser has a code of its own.
  if (error instanceof errors.HTTPParserError) return 'bad-answer'
  return byCode[code] ?? byPattern.find(([pattern]) => pattern.test(code))?.[1] ?? 'other'
}

const codeOf = (error: Error): string => ('code' in error && typeof error.code === 'string' ? error.code : '')
