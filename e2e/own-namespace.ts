import type { Cluster } from './cluster.ts'
import { ownLabel } from './names.ts'

/** Creates a namespace with a label by which a later run can remove it, even if this run crashes. */
export const ownNamespace = async ({ kubectl }: Cluster, name: string, ...labels: readonly string[]): Promise<void> => {
  await kubectl(['create', 'namespace', name])
  await kubectl(['label', 'namespace', name, ownLabel, ...labels])
}
