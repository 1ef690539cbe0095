import { idOf, type Resource } from '../../api/resource.ts'
import type { Notice } from '../store.ts'

const silenceMs = 5 * 60_000

type Say = (fields: object, message: string) => void

/** Tells what happens to resources as log lines; the same is told once in five minutes, or after a warning that it mends. */
export const createNotices = (log: { readonly info: Say; readonly warn: Say }, nowMs: () => number) => {
  const told = new Map<string, number>()
  const lastGood = new Map<string, string>()
  return (resource: Resource, { type, reason, message }: Notice): void => {
    const now = nowMs()
    // Insertion order is age: what is at the front was told first.
    for (const [text, at] of told) {
      if (now - at < silenceMs) break
      told.delete(text)
    }
    const id = idOf(resource)
    const text = `${id}\n${reason}\n${message}`
    if (told.has(text)) return
    told.set(text, now)
    if (type === 'Warning') {
      told.delete(lastGood.get(id) ?? '')
      lastGood.delete(id)
      log.warn({ resource: id, reason }, message)
    } else {
      lastGood.set(id, text)
      log.info({ resource: id, reason }, message)
    }
  }
}
