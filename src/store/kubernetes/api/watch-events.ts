import { ApiError, refusal, type Status, unanswered } from './api-error.ts'

/** One event of a watch. */
export type WatchEvent = {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK'
  readonly object: unknown
}

const types: ReadonlySet<unknown> = new Set<WatchEvent['type']>(['ADDED', 'MODIFIED', 'DELETED', 'BOOKMARK'])

/**
 * The events in the body of a watch, one JSON document a line, until it ends.
 * @throws ApiError for the ERROR that a server ends a watch with, for a line that is not an event, and when the connection breaks
 */
export async function* watchEvents(
  what: string,
  body: AsyncIterable<Buffer>,
  signal: AbortSignal,
): AsyncGenerator<WatchEvent, void, void> {
  const decoder = new TextDecoder()
  /** A line that has not ended yet, in parts: joining them with each chunk would cost their length again and again. */
  let parts: string[] = []
  try {
    for await (const chunk of body) {
      const [first = '', ...more] = decoder.decode(chunk, { stream: true }).split('\n')
      parts.push(first)
      for (const next of more) {
        const line = parts.join('')
        parts = [next]
        if (line !== '') yield eventOf(what, line)
      }
    }
  } catch (error) {
    signal.throwIfAborted()
    throw unanswered(what, error)
  }
  // Half a line is left where the connection broke; the next watch sends it again.
}

const eventOf = (what: string, line: string): WatchEvent => {
  let event: { readonly type?: unknown; readonly object?: unknown }
  try {
    event = Object(JSON.parse(line))
  } catch (cause) {
    throw new ApiError({ status: 0, reason: 'NotJson' }, `${what}: sent a line that is not JSON`, { cause })
  }
  if (event.type === 'ERROR') {
    const status: Status = Object(event.object)
    throw refusal(what, status.code ?? 0, JSON.stringify(status))
  }
  if (!types.has(event.type)) {
    throw new ApiError({ status: 0, reason: 'NoEvent' }, `${what}: sent an event of type ${String(event.type)}`)
  }
  return event as WatchEvent
}
