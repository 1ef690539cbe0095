import { durationText } from '../../api/duration.ts'

/** Why an attempt got no answer. */
export type Failure =
  | 'timeout'
  | 'refused'
  | 'unreachable'
  | 'reset'
  | 'dns'
  | 'tls'
  | 'blocked-address'
  | 'bad-answer'
  | 'other'

/** How one attempt ended. */
export type Outcome =
  /** Answered 2xx. */
  | { readonly kind: 'delivered'; readonly status: number }
  /**
   * Answered something else. `retryAfterMs` is the answer's `Retry-After`, `problem` the type of problem that its body
   * describes, a URI of at most 256 characters.
   */
  | {
      readonly kind: 'answered'
      readonly status: number
      readonly retryAfterMs?: number
      readonly problem?: string
    }
  /** No answer. `message` is for people and contains nothing that the subscriber sent. */
  | { readonly kind: 'failed'; readonly failure: Failure; readonly message: string }
  /** No request was made: the message is not a valid event, or cannot be sent over HTTP. */
  | { readonly kind: 'unsendable'; readonly message: string }
  /** Cancelled by Waybill: no evidence about the subscriber. */
  | { readonly kind: 'abandoned' }

const reasons: Readonly<Record<Failure, string>> = {
  timeout: 'Timeout',
  refused: 'ConnectionRefused',
  unreachable: 'Unreachable',
  reset: 'ConnectionReset',
  dns: 'NameNotResolved',
  tls: 'TlsFailed',
  'blocked-address': 'AddressBlocked',
  'bad-answer': 'BadAnswer',
  other: 'Failed',
}

/** The CamelCase reason for status. */
export const reasonOf = (outcome: Outcome): string => {
  switch (outcome.kind) {
    case 'failed':
      return reasons[outcome.failure]
    case 'answered':
      return 'StatusCode'
    case 'unsendable':
      return 'Unsendable'
    case 'abandoned':
      return 'Abandoned'
    case 'delivered':
      return 'Delivered'
  }
}

/** One sentence on the outcome, with nothing that the subscriber sent but its status code. */
export const outcomeText = (outcome: Outcome): string => {
  switch (outcome.kind) {
    case 'failed':
    case 'unsendable':
      return outcome.message
    case 'answered':
      return answerText(outcome.status, outcome.retryAfterMs)
    case 'delivered':
      return `The subscriber answered ${outcome.status}`
    case 'abandoned':
      return 'The attempt was cancelled'
  }
}

const answerText = (status: number, retryAfterMs: number | undefined): string => {
  const answered = `The subscriber answered ${status}`
  if (retryAfterMs !== undefined) return `${answered}, Retry-After ${durationText(retryAfterMs)}`
  return redirects.has(status) ? `${answered}, a redirect, which is not followed: set the final address` : answered
}

/** The answers that name another address. */
const redirects: ReadonlySet<number> = new Set([301, 302, 303, 307, 308])
