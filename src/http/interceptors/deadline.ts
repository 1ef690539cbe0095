import { durationText } from '../../api/duration.ts'
import type { Deadlines } from '../../async/deadlines.ts'
import type { Outcome } from '../../delivery/attempt/outcome.ts'
import type { Interceptor } from '../interceptor.ts'

/**
 * Gives each call `timeoutMs` for everything inside: the wait for a connection, connecting, and the whole answer. All
 * `deadlines` are that far away.
 */
export const deadline = (deadlines: Deadlines, timeoutMs: number): Interceptor => {
  const tooLate: Outcome = {
    kind: 'failed',
    failure: 'timeout',
    message: `No answer within ${durationText(timeoutMs)}`,
  }
  return (next) => (request, call) => {
    call.startDeadline(deadlines, tooLate)
    return next(request, call)
  }
}
