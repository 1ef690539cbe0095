import type { Change } from '../../store.ts'
import { type ListWatchOptions, listWatch, type Sink } from './list-watch.ts'

type Labels = Readonly<Record<string, string>>

export type NamespacesOptions = Omit<ListWatchOptions, 'path' | 'labels' | 'sink' | 'listed'> & {
  announce(change: Change): void
}

/**
 * The labels of all namespaces, watched from the moment on that somebody asks for those of one: most installations need none,
 * and the right to read namespaces is one for the whole cluster. Without it they stay unknown.
 */
export const openNamespaces = ({ announce, ...options }: NamespacesOptions, signal: AbortSignal) => {
  let known: Map<string, Labels> | undefined
  let done: Promise<void> | undefined

  const put = (object: unknown): string | undefined => {
    const found = namespaceOf(object)
    if (found === undefined) return undefined
    const before = known?.get(found.name)
    known?.set(found.name, found.labels)
    if (before === undefined || textOf(before) !== textOf(found.labels)) changed(found.name)
    return found.name
  }
  const changed = (name: string): void => announce({ kind: 'Namespace', namespace: name, name })
  const forget = (name: string): void => {
    if (known?.delete(name)) changed(name)
  }

  const sink: Sink = {
    now: () => performance.now(),
    replace(items) {
      known ??= new Map()
      const present = new Set(items.map(put))
      for (const name of known.keys()) if (!present.has(name)) forget(name)
    },
    changed: put,
    gone(object) {
      const found = namespaceOf(object)
      if (found) forget(found.name)
    },
  }

  const start = (): Promise<void> => {
    const labels = { kind: 'Namespace', namespace: '' }
    return listWatch({ ...options, path: '/api/v1/namespaces', labels, sink, listed: () => undefined }, signal)
  }

  return {
    labelsOf(namespace: string): Labels | undefined {
      done ??= start()
      return known?.get(namespace)
    },
    /** Resolves after the signal, when nothing is read any more. */
    done: () => done,
  }
}

export const namespaceOf = (object: unknown): { readonly name: string; readonly labels: Labels } | undefined => {
  const { name, labels }: { name?: unknown; labels?: unknown } = Object(Object(object).metadata)
  return typeof name === 'string' ? { name, labels: (labels ?? {}) as Labels } : undefined
}

const textOf = (labels: Labels): string => JSON.stringify(Object.entries(labels).sort())
