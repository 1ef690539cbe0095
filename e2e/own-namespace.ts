import type { Cluster } from './cluster.ts'
import { ownLabel } from './names.ts'

/** Creates a namespace that a later run knows for one of its own, whatever became of this one. */
export const ownNamespace = async ({ kubectl }: Cluster, name: string, ...labels: readonly string[]): Promise<void> => {
  await kubectl(['create', 'namespace', name])
  await kubectl(['label', 'namespace', name, ownLabel, ...labels])
}
