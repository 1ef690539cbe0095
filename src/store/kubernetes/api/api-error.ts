/** What went wrong with a request to the API server; decide by `status`. */
export class ApiError extends Error {
  override readonly name = 'ApiError'
  /** Of the HTTP answer, or of the Status that a watch ends with; 0 where there was no usable answer. */
  readonly status: number
  /**
   * CamelCase, as the server names it: `NotFound`, `Conflict`, `Expired`, …. Without a usable answer: `Unreachable`,
   * `Silent` when it stopped in the middle, `NotJson`, `NoEvent`.
   */
  readonly reason: string
  /** How long the server asks to wait before the next request. */
  readonly retryAfterMs?: number

  constructor(
    answer: { readonly status: number; readonly reason: string; readonly retryAfterMs?: number | undefined },
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options)
    this.status = answer.status
    this.reason = answer.reason
    if (answer.retryAfterMs !== undefined) this.retryAfterMs = answer.retryAfterMs
  }
}

/** Whether an error is the API server's answer with one of these status codes. */
export const isApiError = (error: unknown, ...statuses: readonly number[]): error is ApiError =>
  error instanceof ApiError && statuses.includes(error.status)

/** As much of a `meta/v1` Status as is read. https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/status/ */
export type Status = {
  readonly code?: number
  readonly reason?: string
  readonly message?: string
  readonly details?: { readonly retryAfterSeconds?: number }
}

/** The error for an answer: from its Status or, without one, from its status code and the beginning of its text. */
export const refusal = (what: string, code: number, text: string, retryAfter?: unknown): ApiError => {
  const { reason = `Status${code}`, message = text.slice(0, 200), details } = parsed(text)
  const seconds = details?.retryAfterSeconds ?? Number(retryAfter ?? Number.NaN)
  const retryAfterMs = Number.isFinite(seconds) ? seconds * 1000 : undefined
  return new ApiError({ status: code, reason, retryAfterMs }, `${what}: ${code} ${reason}: ${oneLine(message)}`)
}

const parsed = (text: string): Status => {
  try {
    const found: unknown = JSON.parse(text)
    return typeof found === 'object' && found !== null ? found : {}
  } catch {
    return {}
  }
}

const oneLine = (text: string): string => text.trim().replace(/\s+/g, ' ')

/** The error for a request without an answer. */
export const unanswered = (what: string, error: unknown): ApiError => {
  if (error instanceof ApiError) return error
  const { name, code, message }: { name?: unknown; code?: unknown; message?: unknown } = Object(error)
  const isLate = name === 'TimeoutError'
  const why = isLate ? 'it was silent for too long' : String(code ?? message ?? error)
  const reason = isLate ? 'Silent' : 'Unreachable'
  return new ApiError({ status: 0, reason }, `${what}: the API server did not answer: ${why}`, {
    cause: error,
  })
}
