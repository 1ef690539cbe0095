import type { Kind, Resource } from '../../../src/api/resource.ts'
import type { Manifest } from '../../support/manifests.ts'
import type { FaultWorld } from '../fault.ts'

/** Where the resources of a storm are, and the processes that act on them. */
export type Ground = {
  /** Of all its resources. */
  readonly namespace: string
  /** Makes the resources of a group what these manifests say, and waits for those that are still being deleted. */
  write(group: string, manifests: readonly Manifest[]): Promise<void>
  /** Deletes all resources of a group. */
  delete(group: string): Promise<void>
  list<K extends Kind>(kind: K): Promise<Resource<K>[]>
  /** Starts them all. */
  start(): Promise<void>
  /** How often the processes together may hold a message of a Subscription. */
  readonly dispatchers: number
  /** Processes that ended although nobody had ended them. */
  readonly ended: readonly string[]
  readonly faults: Pick<FaultWorld, 'processes' | 'folder' | 'api'>
  [Symbol.asyncDispose](): Promise<void>
}
