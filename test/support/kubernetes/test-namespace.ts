import { randomBytes } from 'node:crypto'
import { kinds } from '../../../src/api/kinds/kinds.ts'
import { apiVersion } from '../../../src/api/resource.ts'
import { type Account, account, type Rule } from './account.ts'
import { type CommandOptions, command } from './command.ts'
import { request } from './request.ts'
import type { ApiServer } from './server.ts'

export type TestNamespace = {
  readonly name: string
  /** Runs kubectl in this namespace. */
  kubectl(args: readonly string[], options?: CommandOptions): Promise<string>
  /** Applies manifests to this namespace with `kubectl apply`. */
  apply(manifests: object | readonly object[], options?: CommandOptions): Promise<string>
  /** One object as JSON, or undefined; `type` as kubectl takes it, such as `subscriptions`. */
  get(type: string, name: string): Promise<Record<string, unknown> | undefined>
  /** A service account of this namespace with exactly these rules. */
  account(name: string, rules?: readonly Rule[]): Promise<Account>
  /** Removes the namespace and its objects, because no controller does. */
  drop(): Promise<void>
}

/** A new namespace with a random name. */
export const createNamespace = async (server: ApiServer, prefix: string): Promise<TestNamespace> => {
  const name = `${prefix}-${randomBytes(4).toString('hex')}`
  await command(server, 'kubectl', ['create', 'namespace', name])
  const kubectl = (args: readonly string[], options?: CommandOptions) =>
    command(server, 'kubectl', ['--namespace', name, ...args], options)
  return {
    name,
    kubectl,
    apply(manifests, options) {
      const items = [manifests].flat().map((one) => inNamespace(one, name))
      const input = JSON.stringify({ apiVersion: 'v1', kind: 'List', items })
      return kubectl(['apply', '-f', '-'], { ...options, input })
    },
    async get(type, object) {
      const found = await kubectl(['get', type, object, '--ignore-not-found', '-o', 'json'])
      return found === '' ? undefined : JSON.parse(found)
    },
    account: (object, rules = []) => account(server, { namespace: name, name: object }, rules),
    drop: () => dropNamespace(server, name),
  }
}

const inNamespace = (manifest: object, namespace: string): object => {
  const { metadata } = manifest as { metadata?: object }
  return { ...manifest, metadata: { ...metadata, namespace } }
}

const otherTypes = [
  ...['secrets', 'configmaps', 'services', 'serviceaccounts', 'events', 'pods'].map((type) => ['/api/v1', type]),
  ...['roles', 'rolebindings'].map((type) => ['/apis/rbac.authorization.k8s.io/v1', type]),
  ['/apis/coordination.k8s.io/v1', 'leases'],
  ['/apis/apps/v1', 'deployments'],
]

const dropNamespace = async (server: ApiServer, name: string): Promise<void> => {
  await Promise.all(kinds.map(({ plural }) => dropAll(server, `/apis/${apiVersion}/namespaces/${name}/${plural}`)))
  await Promise.all(otherTypes.map(([api, type]) => request(server, 'DELETE', `${api}/namespaces/${name}/${type}`)))
  const path = `/api/v1/namespaces/${name}`
  await request(server, 'DELETE', path)
  const { body } = await request(server, 'GET', path)
  await request(server, 'PUT', `${path}/finalize`, { ...(body as object), spec: {} })
}

/** Deletes a collection, and removes the finalizers of its objects. */
const dropAll = async (server: ApiServer, path: string): Promise<void> => {
  await request(server, 'DELETE', path)
  const { items } = (await request(server, 'GET', path)).body as { items: { metadata: { name: string } }[] }
  const release = { metadata: { finalizers: null } }
  await Promise.all(
    items.map(({ metadata }) =>
      request(server, 'PATCH', `${path}/${metadata.name}`, release, 'application/merge-patch+json'),
    ),
  )
}
