import { apiVersion, isDeleting, type Kind, type Resource } from '../../../api/resource.ts'
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
  /** Puts the server's answer into the cache. */
  refresh(kind: Kind, object: unknown): void
}

/** Called right before each change is sent; throws where it must not be made any more. */
export type Fence = (() => void) | undefined

/** Otherwise the server parses each write a second time, to warn of unknown fields. */
const unwarned = { fieldValidation: 'Ignore' }

/** How often a write is repeated for an object that keeps changing meanwhile. */
const conflictsAtMost = 5

/** Changes resources: only those with the uid that was read, never another of the same name. */
export const createWrites = ({ client, current, refresh }: WritesOptions) => {
  const patch = async (kind: Kind, request: Omit<ApiRequest, 'method'>): Promise<void> => {
    refresh(kind, await client.request<unknown>({ ...request, method: 'PATCH' }))
  }

  /** The object as the server has it now, if it still has the uid that was read. */
  const readAgain = async (kind: Kind, { metadata }: Named): Promise<Named | undefined> => {
    try {
      const found = await client.request<Named>({ method: 'GET', path: resourcePath(kind, metadata) })
      refresh(kind, found)
      return found.metadata.uid === metadata.uid ? found : undefined
    } catch (error) {
      if (isApiError(error, 404)) return undefined
      throw error
    }
  }

  return {
    async applyStatus(kind: Kind, resource: Named, manager: FieldManager, status: object, fence: Fence): Promise<void> {
      let known = current(kind, resource)
      for (let conflicts = 0; known; conflicts++) {
        // The server ignores the uid in a write of a status; the version alone protects another object of the same name.
        const { namespace, name, resourceVersion } = known.metadata
        try {
          return await patch(kind, {
            path: `${resourcePath(kind, known.metadata)}/status`,
            query: { ...unwarned, fieldManager: manager, force: true },
            contentType: 'application/apply-patch+yaml',
            body: { apiVersion, kind: kind.kind, metadata: { namespace, name, resourceVersion }, status },
            fence,
          })
        } catch (error) {
          if (isApiError(error, 404)) return
          if (!isApiError(error, 409) || conflicts >= conflictsAtMost) throw error
          known = await readAgain(kind, resource)
        }
      }
    },

    async setFinalizer(kind: Kind, resource: Named, present: boolean, fence: Fence): Promise<void> {
      let known = current(kind, resource)
      for (let conflicts = 0; known; conflicts++) {
        const { uid, resourceVersion, finalizers: before = [] } = known.metadata
        // The API server refuses to add a finalizer to an object that is being deleted.
        if (before.includes(finalizer) === present || (present && isDeleting(known))) return
        const finalizers = present ? [...before, finalizer] : before.filter((one) => one !== finalizer)
        try {
          return await patch(kind, {
            path: resourcePath(kind, known.metadata),
            query: unwarned,
            contentType: 'application/merge-patch+json',
            body: { metadata: { uid, resourceVersion, finalizers } },
            fence,
          })
        } catch (error) {
          if (isApiError(error, 404)) return
          if (!isApiError(error, 409, 422) || conflicts >= conflictsAtMost) throw error
          known = await readAgain(kind, resource)
        }
      }
    },
  }
}
