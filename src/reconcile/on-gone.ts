import type { Kind } from '../api/resource.ts'
import type { Store } from '../store/store.ts'

/** Calls `gone` for each resource of the kind that is deleted; returns what stops it. */
export const onGone = (
  store: Pick<Store, 'get' | 'onChange'>,
  kind: Kind,
  gone: (namespace: string, name: string) => void,
): (() => void) =>
  store.onChange((change) => {
    const { namespace, name } = change
    if (change.kind === kind.kind && store.get(kind, namespace, name) === undefined) gone(namespace, name)
  })
