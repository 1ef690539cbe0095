import { apiVersion, type Kind, type Resource, type ResourceName } from '../../../api/resource.ts'
import { isApiError } from './api-error.ts'
import type { ApiRequest } from './client.ts'
import { collectionPath, resourcePath } from './paths.ts'

type Request = <T>(request: ApiRequest) => Promise<T>

type Manifest = { readonly metadata: ResourceName; readonly spec: object }

/** Resources as a person reads and changes them, one request each. All throw what `request` throws. */
export const resourcesOver = (request: Request) => ({
  /** Those of one namespace or, where it is left out, of all. */
  async list<K extends Kind>(kind: K, namespace?: string): Promise<readonly Resource<K>[]> {
    const { items } = await request<{ readonly items: readonly Resource<K>[] }>({
      method: 'GET',
      path: collectionPath(kind, namespace),
    })
    return items
  },
  /** `undefined` where there is none. */
  async get<K extends Kind>(kind: K, of: ResourceName): Promise<Resource<K> | undefined> {
    try {
      return await request<Resource<K>>({ method: 'GET', path: resourcePath(kind, of) })
    } catch (error) {
      if (isApiError(error, 404)) return undefined
      throw error
    }
  },
  /** An unknown field is refused. */
  async create(kind: Kind, manifest: Manifest): Promise<void> {
    const path = collectionPath(kind, manifest.metadata.namespace)
    const body = { apiVersion, kind: kind.kind, ...manifest }
    await request({ method: 'POST', path, query: { fieldValidation: 'Strict' }, body })
  },
  /** Sets some fields of the specification. */
  async patch(kind: Kind, of: ResourceName, spec: Readonly<Record<string, unknown>>): Promise<void> {
    const contentType = 'application/merge-patch+json'
    await request({ method: 'PATCH', path: resourcePath(kind, of), contentType, body: { spec } })
  },
  /** `null` takes one off. */
  async annotate(kind: Kind, of: ResourceName, annotations: Readonly<Record<string, string | null>>): Promise<void> {
    const contentType = 'application/merge-patch+json'
    await request({ method: 'PATCH', path: resourcePath(kind, of), contentType, body: { metadata: { annotations } } })
  },
  async remove(kind: Kind, of: ResourceName): Promise<void> {
    await request({ method: 'DELETE', path: resourcePath(kind, of) })
  },
})
