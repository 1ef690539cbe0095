import { isApiError } from '../../store/kubernetes/api/api-error.ts'
import { exits, Failure } from '../failure.ts'

/** What the API server refuses, as a Failure. */
export const asked = async <T>(work: () => Promise<T>): Promise<T> => {
  try {
    return await work()
  } catch (error) {
    if (!isApiError(error, 0, 400, 401, 403, 404, 409, 422, 429, 500, 503)) throw error
    const { status, message } = error
    const isUsage = status === 400 || status === 422
    const exitCode = isUsage ? exits.usage : status === 401 || status === 403 ? exits.notPermitted : exits.failed
    throw new Failure(message, { exitCode, cause: error })
  }
}
