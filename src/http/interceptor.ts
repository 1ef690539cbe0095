import type { Outcome } from '../delivery/attempt/outcome.ts'
import type { Request } from '../delivery/attempt/request.ts'
import type { Call } from './call.ts'

/** Makes one attempt: ends the call with an outcome and returns that. Never rejects. */
export type Send = (request: Request, call: Call) => Promise<Outcome>

/** Wraps a `Send` in one more concern. It is made once for a worker, and what it returns runs for each message. */
export type Interceptor = (next: Send) => Send

/** `send` inside the interceptors; the first of them is the outermost. */
export const intercepted = (interceptors: readonly Interceptor[], send: Send): Send =>
  interceptors.reduceRight((next, interceptor) => interceptor(next), send)
