import { idOf, type Resource } from '../../api/resource.ts'
import type { Happening } from '../store.ts'

const silenceMs = 5 * 60_000

type Say = (fields: object, message: string) => void

/** Tells what happens to resources as log lines; the same is told once in five minutes. */
export const createHappenings = (log: { readonly info: Say; readonly warn: Say }, nowMs: () => number) => {
  const told = new Map<string, number>()
  return (resource: Resource, { type, reason, message }: Happening): void => {
    const now = nowMs()
    // Insertion order is age: what is at the front was told first.
    for (const [text, at] of told) {
      if (now - at < silenceMs) break
      told.delete(text)
    }
    const text = `${idOf(resource)}\n${reason}\n${message}`
    if (told.has(text)) return
    told.set(text, now)
    const say = type === 'Warning' ? log.warn : log.info
    say.call(log, { resource: idOf(resource), reason }, message)
  }
}
