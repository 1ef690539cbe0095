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
  /** Takes in what the server answered. */
  refresh(kind: Kind, object: unknown): void
}

/** Called right before each change is sent; throws where it must not be made any more. */
export type MayWrite = (() => void) | undefined

/** The server would read what is written twice, to warn of fields that it does not know. */
const unwarned = { fieldValidation: 'Ignore' }

/** An object that keeps changing meanwhile is tried so often. */
const conflictsAtMost = 5

/** Changes resources; only those of the identity that was read, never one that took their name. */
export const createWrites = ({ client, current, refresh }: WritesOptions) => {
  const patch = async (kind: Kind, request: Omit<ApiRequest, 'method'>): Promise<void> => {
    refresh(kind, await client.request<unknown>({ ...request, method: 'PATCH' }))
  }

  /** The object as the server has it now, if it still is the one that was read. */
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
    async applyStatus(
      kind: Kind,
      resource: Named,
      manager: FieldManager,
      status: object,
      mayWrite: MayWrite,
    ): Promise<void> {
      let known = current(kind, resource)
      for (let conflicts = 0; known; conflicts++) {
        // Of a status, the server ignores the uid; the version alone tells it that another object is meant.
        const { namespace, name, resourceVersion } = known.metadata
        try {
          return await patch(kind, {
            path: `${resourcePath(kind, known.metadata)}/status`,
            query: { ...unwarned, fieldManager: manager, force: true },
            contentType: 'application/apply-patch+yaml',
            body: { apiVersion, kind: kind.kind, metadata: { namespace, name, resourceVersion }, status },
            before: mayWrite,
          })
        } catch (error) {
          if (isApiError(error, 404)) return
          if (!isApiError(error, 409) || conflicts >= conflictsAtMost) throw error
          known = await readAgain(kind, resource)
        }
      }
    },

    async setFinalizer(kind: Kind, resource: Named, present: boolean, mayWrite: MayWrite): Promise<void> {
      let known = current(kind, resource)
      for (let conflicts = 0; known; conflicts++) {
        const { uid, resourceVersion, finalizers: before = [] } = known.metadata
        // The API server lets nobody add a finalizer to what is being deleted.
        if (before.includes(finalizer) === present || (present && isDeleting(known))) return
        const finalizers = present ? [...before, finalizer] : before.filter((one) => one !== finalizer)
        try {
          return await patch(kind, {
            path: resourcePath(kind, known.metadata),
            query: unwarned,
            contentType: 'application/merge-patch+json',
            body: { metadata: { uid, resourceVersion, finalizers } },
            before: mayWrite,
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
