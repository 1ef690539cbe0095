import { type ListWatchOptions, listWatch, type Sink } from './list-watch.ts'
import { namespaceOf } from './namespaces.ts'

export type SelectedOptions = Omit<ListWatchOptions, 'path' | 'labels' | 'sink' | 'listed'> & {
  /** In the syntax of `kubectl -l`. */
  readonly labelSelector: string
  /** Called after a namespace was selected, or is not any more. */
  changed(namespace: string): void
}

/** The namespaces that a label selector selects, kept up to date until the signal. */
export type SelectedNamespaces = {
  has(namespace: string): boolean
  all(): readonly string[]
  readonly listed: Promise<void>
  readonly done: Promise<void>
}

/** The API server evaluates the selector: a namespace that loses its label is sent as deleted. */
export const openSelected = ({ changed, ...options }: SelectedOptions, signal: AbortSignal): SelectedNamespaces => {
  const selected = new Set<string>()
  const listed = Promise.withResolvers<void>()
  const add = (object: unknown): string | undefined => {
    const name = namespaceOf(object)?.name
    if (name === undefined || selected.has(name)) return name
    selected.add(name)
    changed(name)
    return name
  }
  const remove = (name: string | undefined): void => {
    if (name !== undefined && selected.delete(name)) changed(name)
  }
  const sink: Sink = {
    now: () => performance.now(),
    replace(items) {
      const present = new Set(items.map(add))
      for (const name of selected) if (!present.has(name)) remove(name)
    },
    changed: add,
    gone: (object) => remove(namespaceOf(object)?.name),
  }
  const labels = { kind: 'Namespace', namespace: '' }
  const all = { ...options, path: '/api/v1/namespaces', labels, sink, listed: listed.resolve }
  return {
    has: (namespace) => selected.has(namespace),
    all: () => [...selected],
    listed: listed.promise,
    done: listWatch(all, signal),
  }
}
