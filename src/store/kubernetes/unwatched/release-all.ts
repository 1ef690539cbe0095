import { type Condition, stamp, verdict } from '../../../api/conditions.ts'
import { jobKinds, kinds } from '../../../api/kinds/kinds.ts'
import { subscription } from '../../../api/kinds/subscription.ts'
import type { Kind, Metadata } from '../../../api/resource.ts'
import { finalizer } from '../../store.ts'
import { ApiError } from '../api/api-error.ts'
import type { Client } from '../api/client.ts'
import { collectionPath } from '../api/paths.ts'
import { createWrites, type Fence } from '../api/writes.ts'
import { all } from './dropped.ts'

type Found = {
  readonly metadata: Metadata
  readonly status?: { readonly conditions?: readonly Condition[] }
}

/** These are released; jobs have no finalizer, and nobody waits for their Ready. */
const heldKinds: readonly Kind[] = kinds.filter((kind) => !jobKinds.some((job) => job.kind === kind.kind))

const pageSize = 500
/** What was in flight in this installation may have written a resource again once or twice. */
const timesAtMost = 3

const message =
  'No operator watches this namespace any more, so nothing here is declared, changed or delivered; what is on the broker stays. Let an installation watch it again, or delete the resource'

/**
 * Releases the resources in a namespace that is not watched any more, or with `*` in all that are not: their statuses say so,
 * and without Waybill's finalizer they can be deleted. Resolves to how many there were; what was in flight meanwhile
 * is found by the next call. `times` counts how often each was released, by uid. One that the API server refuses to change does
 * not hold up the others. @throws ApiError, the first refusal when all others are released
 */
export const releaseAll = async (
  client: Pick<Client, 'request'>,
  namespace: string,
  isWatched: (namespace: string) => boolean,
  times: Map<string, number>,
  fence: () => void,
): Promise<number> => {
  const writes = createWrites({ client, current: (_kind, resource) => resource, refresh: () => undefined })
  const refusals: ApiError[] = []
  let count = 0
  for (const kind of heldKinds) {
    for await (const found of listed(client, kind, namespace)) {
      if (isWatched(found.metadata.namespace) || isReleased(found)) continue
      const { uid } = found.metadata
      const before = times.get(uid) ?? 0
      // Another installation watches it, and writes it again.
      if (before >= timesAtMost) continue
      const still = () => {
        fence()
        if (isWatched(found.metadata.namespace)) throw new Error('The namespace is watched again')
      }
      try {
        await release(writes, kind, found, still)
      } catch (error) {
        if (!isRefusal(error)) throw error
        refusals.push(error)
        continue
      }
      // What was not released is not counted: it would be left as it is, and be forgotten.
      times.set(uid, before + 1)
      count += 1
    }
  }
  if (refusals[0]) throw refusals[0]
  return count
}

/** Of this one resource; others may be released. */
const isRefusal = (error: unknown): error is ApiError =>
  error instanceof ApiError && [403, 409, 422].includes(error.status)

const isReleased = ({ metadata, status }: Found): boolean => {
  const ready = status?.conditions?.find(({ type }) => type === 'Ready')
  return !metadata.finalizers?.includes(finalizer) && (ready === undefined || ready.reason === 'NotWatched')
}

const release = async (
  writes: ReturnType<typeof createWrites>,
  kind: Kind,
  found: Found,
  fence: Fence,
): Promise<void> => {
  const { generation } = found.metadata
  const unknown = verdict('Ready', 'Unknown', 'NotWatched', message)
  const conditions = stamp([unknown], found.status?.conditions, generation, new Date())
  // Each applies what it owns: what else a manager has said of the resource, which nobody vouches for any more, goes.
  await writes.applyStatus(kind, found, 'waybill-operator', { observedGeneration: generation, conditions }, fence)
  const isDelivered = kind.kind === subscription.kind
  // The version is another one now: the patch is made again with what the API server has.
  if (isDelivered) await writes.applyStatus(kind, found, 'waybill-dispatcher', { conditions }, fence)
  await writes.setFinalizer(kind, found, false, fence)
}

type List = { readonly metadata: { readonly continue?: string }; readonly items: readonly Found[] }

const listed = async function* (client: Pick<Client, 'request'>, kind: Kind, namespace: string): AsyncIterable<Found> {
  const path = collectionPath(kind, namespace === all ? undefined : namespace)
  let token: string | undefined
  do {
    const page = await client.request<List>({ method: 'GET', path, query: { limit: pageSize, continue: token } })
    yield* page.items
    token = page.metadata.continue
  } while (token)
}
