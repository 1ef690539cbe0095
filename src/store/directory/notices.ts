import { idOf, type Resource } from '../../api/resource.ts'
import type { Log } from '../log.ts'
import type { Notice } from '../store.ts'

const silenceMs = 5 * 60_000

/**
 * Logs the notices about resources. The same notice is logged once in five minutes, but good news again after each warning
 * that it clears.
 */
export const createNotices = (log: Pick<Log, 'info' | 'warn'>, nowMs: () => number) => {
  const loggedAt = new Map<string, number>()
  const lastGood = new Map<string, string>()
  return (resource: Resource, { type, reason, message }: Notice): void => {
    const now = nowMs()
    // Insertion order is age: the front was logged first.
    for (const [text, at] of loggedAt) {
      if (now - at < silenceMs) break
      loggedAt.delete(text)
    }
    const id = idOf(resource)
    const text = `${id}\n${reason}\n${message}`
    if (loggedAt.has(text)) return
    loggedAt.set(text, now)
    if (type === 'Warning') {
      loggedAt.delete(lastGood.get(id) ?? '')
      lastGood.delete(id)
      log.warn({ resource: id, reason }, message)
    } else {
      lastGood.set(id, text)
      log.info({ resource: id, reason }, message)
    }
  }
}
