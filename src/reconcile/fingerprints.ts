import { kinds } from '../api/kinds/kinds.ts'
import { idFrom, type Kind, type Resource } from '../api/resource.ts'
import type { Change, Store } from '../store/store.ts'

/** What of a resource matters to somebody, as text to compare. */
export type Fingerprint = (resource: Resource) => string

/** While much changes, looking at all of it takes at most about a tenth of the time, but never waits longer than this. */
const restShare = 9
const longestRestMs = 1_000

/**
 * Calls `changed` once at the start and then when a resource came or went, when its print is another than before, or when
 * a Secret changed; changes within `gatherMs` are one, or within nine times what the last call took. Returns what stops it.
 */
export const onRelevantChange = (
  store: Store,
  print: Fingerprint,
  gatherMs: number,
  changed: (secrets: boolean) => void,
): (() => void) => {
  const prints = new Map<string, string>()
  let secrets = false
  let timer: NodeJS.Timeout | undefined = setTimeout(() => tell(), 0)
  let restUntil = 0

  const tell = () => {
    timer = undefined
    const sawSecrets = secrets
    secrets = false
    const begun = performance.now()
    changed(sawSecrets)
    const ended = performance.now()
    restUntil = ended + Math.min(longestRestMs, restShare * (ended - begun))
  }

  const isNews = ({ kind: kindName, namespace, name }: Change): boolean => {
    const kind: Kind | undefined = kinds.find((candidate) => candidate.kind === kindName)
    if (kind === undefined) {
      secrets = true
      return true
    }
    const id = idFrom(kindName, namespace, name)
    const resource = store.get(kind, namespace, name)
    const now = resource && print(resource)
    const before = prints.get(id)
    if (now === undefined) prints.delete(id)
    else prints.set(id, now)
    return before !== now
  }

  const stop = store.onChange((change) => {
    if (isNews(change)) timer ??= setTimeout(tell, Math.max(gatherMs, restUntil - performance.now()))
  })
  return () => {
    stop()
    clearTimeout(timer)
  }
}
