import { kinds } from '../api/kinds/kinds.ts'
import { idFrom, type Kind, type Resource } from '../api/resource.ts'
import type { Change, Store } from '../store/store.ts'

/** What of a resource matters to a process, as text to compare. */
export type Fingerprint = (resource: Resource) => string

/** While much changes, handling it takes at most about a tenth of the time; a change waits no longer than this. */
const restShare = 9
const longestRestMs = 1_000

/**
 * Calls `changed` once at the start and then when a resource was created or deleted, when its fingerprint differs from the
 * last one, or when a Secret or Namespace changed. Changes within `gatherMs`, or within nine times the duration of the last call, are
 * one call. Returns what stops it.
 */
export const onRelevantChange = (
  store: Pick<Store, 'get' | 'onChange'>,
  fingerprintOf: Fingerprint,
  gatherMs: number,
  changed: (secrets: boolean) => void,
): (() => void) => {
  const fingerprints = new Map<string, string>()
  let secrets = false
  let timer: NodeJS.Timeout | undefined = setTimeout(() => call(), 0)
  let restUntil = 0

  const call = () => {
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
      secrets ||= kindName !== 'Namespace'
      return true
    }
    const id = idFrom(kindName, namespace, name)
    const resource = store.get(kind, namespace, name)
    const now = resource && fingerprintOf(resource)
    const before = fingerprints.get(id)
    if (now === undefined) fingerprints.delete(id)
    else fingerprints.set(id, now)
    return before !== now
  }

  const stop = store.onChange((change) => {
    if (isNews(change)) timer ??= setTimeout(call, Math.max(gatherMs, restUntil - performance.now()))
  })
  return () => {
    stop()
    clearTimeout(timer)
  }
}
