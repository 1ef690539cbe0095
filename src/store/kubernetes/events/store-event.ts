import { isApiError } from '../api/api-error.ts'
import type { Client } from '../api/client.ts'
import { corePath } from '../api/paths.ts'
import { counted, type Series } from './event-series.ts'

/** Creates the Event of a series, or updates its count. @throws ApiError, the signal's reason, or what the fence throws */
export const storeEvent = async (
  client: Pick<Client, 'request'>,
  series: Series,
  signal: AbortSignal,
): Promise<void> => {
  const { event, namespace, name, fence } = series
  if (series.isStored) {
    const contentType = 'application/merge-patch+json'
    const path = corePath('events', namespace, name)
    try {
      const change = { method: 'PATCH', path, contentType, body: counted(series), fence, tries: 1 } as const
      return await client.request(change, signal)
    } catch (error) {
      // Events expire after an hour, and in some clusters sooner.
      if (!isApiError(error, 404)) throw error
    }
  }
  const body = { ...event, ...counted(series) }
  try {
    await client.request({ method: 'POST', path: corePath('events', namespace), body, fence }, signal)
  } catch (error) {
    // The name is unique, so an Event that exists already is an earlier try whose answer was lost.
    if (!isApiError(error, 409)) throw error
  }
  series.isStored = true
}
