import { isApiError } from '../api/api-error.ts'
import type { Client } from '../api/client.ts'
import { corePath } from '../api/paths.ts'
import { counted, type Series } from './event-series.ts'

/** Creates or counts up the Event of a series, once. @throws ApiError, or what the fence of the series throws */
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
      await client.request({ method: 'PATCH', path, contentType, body: counted(series), fence, tries: 1 }, signal)
      return
    } catch (error) {
      // Events live for an hour, and some clusters keep them for less.
      if (!isApiError(error, 404)) throw error
    }
  }
  const body = { ...event, ...counted(series) }
  try {
    await client.request({ method: 'POST', path: corePath('events', namespace), body, fence }, signal)
  } catch (error) {
    // The name is unique, so what is there already is an earlier try whose answer was lost.
    if (!isApiError(error, 409)) throw error
  }
  series.isStored = true
}
