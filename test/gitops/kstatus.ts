import type { Condition } from '../../src/api/conditions.ts'

type Known = {
  readonly metadata: { readonly generation: number; readonly deletionTimestamp?: string }
  readonly status?: { readonly observedGeneration?: number; readonly conditions?: readonly Condition[] }
}

export type KStatus = 'InProgress' | 'Failed' | 'Current' | 'Terminating'

/**
 * What Flux makes of a custom resource: the rules of kstatus, in their order, as published in pkg/kstatus/README.md of
 * sigs.k8s.io/cli-utils (v0.37.2: status.go, generic.go). Without any of these it takes a resource for Current.
 */
export const kstatus = ({ metadata, status }: Known): KStatus => {
  if (metadata.deletionTimestamp !== undefined) return 'Terminating'
  const { observedGeneration, conditions = [] } = status ?? {}
  if (observedGeneration !== undefined && observedGeneration !== metadata.generation) return 'InProgress'
  for (const { type, status: is } of conditions) {
    if (type === 'Reconciling' && is === 'True') return 'InProgress'
    if (type === 'Stalled' && is === 'True') return 'Failed'
  }
  const ready = conditions.find(({ type }) => type === 'Ready')
  if (ready === undefined) return 'Current'
  return ready.status === 'True' ? 'Current' : 'InProgress'
}
