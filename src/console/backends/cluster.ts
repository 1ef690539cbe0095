import { group as ourGroup } from '../../api/resource.ts'
import { ApiError, isApiError } from '../../store/kubernetes/api/api-error.ts'
import type { ApiRequest, Client } from '../../store/kubernetes/api/client.ts'
import { resourcesOver } from '../../store/kubernetes/api/resources.ts'
import { type Backend, BackendError, type Backends, type Right } from '../port.ts'
import { claimsOf } from '../session.ts'
import type { DataPort } from './data-port.ts'

export type ClusterParts = {
  /** To the API server, with no credentials of its own. */
  readonly client: Pick<Client, 'request'>
  /** Of a dispatcher; `undefined` where none serves dead letters. */
  readonly data: DataPort | undefined
  /** What a token for the API server is made for. */
  readonly apiAudience: string
}

/** What the user of a token may see and do in a cluster: the API server and the dispatcher decide. */
export const clusterBackends = (parts: ClusterParts): Backends => ({
  async as(token) {
    const request = requestAs(parts.client, token)
    try {
      const name = await orRefused(nameOf(request, token))
      return clusterBackend({ ...parts, request, name, token })
    } catch (error) {
      if (error instanceof BackendError && error.code === 401) return undefined
      throw error
    }
  },
  howToLogIn: [
    'Paste a token that both the API server and Waybill accept, of a ServiceAccount that may do what you want to do:',
    `$ kubectl create token ACCOUNT -n NAMESPACE --duration 1h --audience waybill --audience ${parts.apiAudience}`,
    'It is in no log, and your session ends with it.',
  ],
})

type Asked = <T>(request: ApiRequest) => Promise<T>

const requestAs =
  (client: Pick<Client, 'request'>, token: string): Asked =>
  (request) =>
    client.request({ tries: request.method === 'GET' ? 2 : 1, ...request, authorization: `Bearer ${token}` })

/** What the API server refuses, as a BackendError. */
const orRefused = async <T>(answer: Promise<T>): Promise<T> => {
  try {
    return await answer
  } catch (error) {
    if (error instanceof ApiError) throw new BackendError(error.status || 503, messageOf(error), { cause: error })
    throw error
  }
}

/** Without the request, which only programs want to know. */
const messageOf = ({ status, message }: ApiError): string =>
  status === 0 ? 'The API server does not answer; try again.' : message.replace(/^\w+ \S+: /, '')

/** @throws ApiError */
const nameOf = async (request: Asked, token: string): Promise<string> => {
  const path = '/apis/authentication.k8s.io/v1/selfsubjectreviews'
  const body = { apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview' }
  try {
    const { status } = await request<{ status?: { userInfo?: { username?: string } } }>({ method: 'POST', path, body })
    return status?.userInfo?.username ?? 'unknown'
  } catch (error) {
    if (!isApiError(error, 404)) throw error
    // Before Kubernetes 1.28 the API server says only whether a token is valid.
    await mayWith(request, { verb: 'list', resource: 'subscriptions' })
    return String(claimsOf(token)?.sub ?? 'unknown')
  }
}

const mayWith = async (request: Asked, { verb, resource, namespace }: Right): Promise<boolean> => {
  const [plural, subresource] = resource.split('/')
  const resourceAttributes = { group: ourGroup, resource: plural, subresource, verb, namespace }
  const body = { apiVersion: 'authorization.k8s.io/v1', kind: 'SelfSubjectAccessReview', spec: { resourceAttributes } }
  const path = '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews'
  const { status } = await request<{ status?: { allowed?: boolean } }>({ method: 'POST', path, body })
  return status?.allowed === true
}

type Parts = ClusterParts & { readonly request: Asked; readonly name: string; readonly token: string }

const clusterBackend = ({ request, data, name, token }: Parts): Backend => {
  const resources = resourcesOver(request)
  const letters = async (): Promise<DataPort> => {
    if (data) return data
    throw new BackendError(503, 'No data port is set, so dead letters cannot be listed: see --data-server.')
  }
  return {
    user: { name },
    list: (kind, namespace) => orRefused(resources.list(kind, namespace)),
    get: (kind, of) => orRefused(resources.get(kind, of)),
    create: (kind, manifest) => orRefused(resources.create(kind, manifest)),
    patch: (kind, of, spec) => orRefused(resources.patch(kind, of, spec)),
    remove: (kind, of) => orRefused(resources.remove(kind, of)),
    letters: async (of, query) => (await letters()).list(token, of, query),
    letter: async (of, id) => (await letters()).find(token, of, id),
    body: async (of, id) => (await letters()).body(token, of, id),
    headers: async (of, id) => (await letters()).headers(token, of, id),
    hours: async (namespace, name) => (await letters()).hours(token, namespace, name),
    may: (right) => orRefused(mayWith(request, right)),
  }
}
