import { kinds } from '../../api/kinds/kinds.ts'
import { isDeleting } from '../../api/resource.ts'
import { finalizer, type Notice } from '../store.ts'
import type { createWrites } from './api/writes.ts'
import type { Events } from './events/events.ts'
import type { Caches } from './watch/caches.ts'

type Parts = {
  readonly caches: Caches
  readonly writes: ReturnType<typeof createWrites>
  readonly events: Events
}

/**
 * Removes the finalizer from resources that are being deleted and have not been valid since this process started: what
 * they declared is not known, so it stays on the broker. `fence` is called before each write. @throws ApiError
 */
export const releaseInvalid = async ({ caches, writes, events }: Parts, fence: () => void): Promise<void> => {
  for (const kind of kinds) {
    for (const metadata of caches.of(kind).strays()) {
      if (!isDeleting({ metadata }) || !metadata.finalizers?.includes(finalizer)) continue
      events.record({ kind: kind.kind, metadata }, orphaned, fence)
      await writes.setFinalizer(kind, { metadata }, false, fence)
    }
  }
}

const orphaned: Notice = {
  type: 'Warning',
  reason: 'OrphanedTopology',
  message:
    'The resource was not valid, so its queues and exchanges are retained on the broker; creating a resource with the same name reclaims them',
}
