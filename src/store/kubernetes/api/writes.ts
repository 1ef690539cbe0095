import { apiVersion, isDeleting, type Kind, type Resource } from '../../../api/resource.ts'
import { around, type Moments, momentsOf } from '../../../async/effects.ts'
import { type FieldManager, finalizer } from '../../store.ts'
import { isApiError } from './api-error.ts'
import type { ApiRequest, Client } from './client.ts'
import { resourcePath } from './paths.ts'

/** As much of a resource as a write needs. */
type Named = Pick<Resource, 'metadata'>

export type WritesOptions = {
  readonly client: Pick<Client, 'request'>
  /** The resource as it is known, valid or not. */
  current(kind: Kind, resource: Named): Named | undefined
  /** Receives what the server answered. */
  refresh(kind: Kind, object: unknown): void
}

/** Called right before each change is sent; throws where it must not be made any more. */
export type Fence = (() => void) | undefined

const statusWritten = momentsOf('status-written')
const finalizerWritten = momentsOf('finalizer-written')
const resourceDeleted = momentsOf('resource-deleted')

/** The server would read what is written twice, to warn of fields that it does not know. */
const unwarned = { fieldValidation: 'Ignore' }

/** How often a write is made again of an object that others keep changing meanwhile. */
const conflictsAtMost = 5

/** Changes resources; only those of the identity that was read, never one that has the same name now. */
export const createWrites = (options: WritesOptions) => ({
  /** Server-side apply of what a manager owns of the status. @throws ApiError */
  applyStatus(kind: Kind, resource: Named, manager: FieldManager, status: object, fence: Fence): Promise<void> {
    return write(
      statusWritten,
      options,
      kind,
      resource,
      [409],
      ({ metadata: { namespace, name, resourceVersion } }) => ({
        path: `${resourcePath(kind, { namespace, name })}/status`,
        query: { ...unwarned, fieldManager: manager, force: true },
        contentType: 'application/apply-patch+yaml',
        // The server ignores the uid in a status; by the version alone it knows that another object is meant.
        body: { apiVersion, kind: kind.kind, metadata: { namespace, name, resourceVersion }, status },
        fence,
      }),
    )
  },

  /** Adds or removes Waybill's finalizer, beside those of others. @throws ApiError */
  setFinalizer(kind: Kind, resource: Named, present: boolean, fence: Fence): Promise<void> {
    return write(finalizerWritten, options, kind, resource, [409, 422], (known) => {
      const { uid, resourceVersion, finalizers: before = [] } = known.metadata
      // The API server does not accept a finalizer on what is being deleted.
      if (before.includes(finalizer) === present || (present && isDeleting(known))) return undefined
      const finalizers = present ? [...before, finalizer] : before.filter((one) => one !== finalizer)
      return {
        path: resourcePath(kind, known.metadata),
        query: unwarned,
        contentType: 'application/merge-patch+json',
        body: { metadata: { uid, resourceVersion, finalizers } },
        fence,
      }
    })
  },

  /** @throws ApiError */
  async remove(kind: Kind, { metadata }: Named, fence: Fence): Promise<void> {
    const body = { apiVersion: 'v1', kind: 'DeleteOptions', preconditions: { uid: metadata.uid } }
    const path = resourcePath(kind, metadata)
    try {
      await around(resourceDeleted, () => options.client.request({ method: 'DELETE', path, body, fence }))
    } catch (error) {
      // Another one has its name.
      if (!isApiError(error, 404, 409)) throw error
    }
  },
})

/**
 * Sends the patch that `patchOf` makes of the resource as it is known. Where the server answers that it changed since,
 * which `conflicts` are the status codes of, it is read and patched again.
 */
const write = async (
  moments: Moments,
  options: WritesOptions,
  kind: Kind,
  resource: Named,
  conflicts: readonly number[],
  patchOf: (known: Named) => Omit<ApiRequest, 'method'> | undefined,
): Promise<void> => {
  const { client, current, refresh } = options
  let known = current(kind, resource)
  for (let times = 0; known; times++) {
    const patch = patchOf(known)
    if (patch === undefined) return
    try {
      refresh(kind, await around(moments, () => client.request<unknown>({ ...patch, method: 'PATCH' })))
      return
    } catch (error) {
      if (isApiError(error, 404)) return
      if (!isApiError(error, ...conflicts) || times >= conflictsAtMost) throw error
      known = await readAgain(options, kind, resource)
    }
  }
}

/** The object as the server has it now, if it is still the one that was read. */
const readAgain = async (
  { client, refresh }: WritesOptions,
  kind: Kind,
  { metadata }: Named,
): Promise<Named | undefined> => {
  try {
    const found = await client.request<Named>({ method: 'GET', path: resourcePath(kind, metadata) })
    refresh(kind, found)
    return found.metadata.uid === metadata.uid ? found : undefined
  } catch (error) {
    if (isApiError(error, 404)) return undefined
    throw error
  }
}
