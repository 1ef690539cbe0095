import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { command } from './command.ts'
import { kubeconfig } from './kubeconfig.ts'
import type { ApiServer } from './server.ts'

/** The name of a service account that may not exist yet. */
export type AccountName = { readonly namespace: string; readonly name: string }

/** A rule of a Kubernetes Role. */
export type Rule = {
  readonly apiGroups: readonly string[]
  readonly resources: readonly string[]
  readonly verbs: readonly string[]
  readonly resourceNames?: readonly string[]
}

export type Account = AccountName & {
  /** Path of a kubeconfig with its token, whose namespace is the account's own. */
  readonly kubeconfig: string
  readonly token: string
}

/**
 * Creates a service account with these rules in its namespace, if it does not exist, and a token and kubeconfig for it.
 */
export const account = async (server: ApiServer, who: AccountName, rules: readonly Rule[]): Promise<Account> => {
  const { namespace, name } = who
  const metadata = { namespace, name }
  const manifests = [
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata },
    ...(rules.length > 0 ? [{ apiVersion: rbac, kind: 'Role', metadata, rules }, binding('Role', who)] : []),
  ]
  await applyAll(server, manifests)
  const token = (await command(server, 'kubectl', ['create', 'token', name, '-n', namespace])).trim()
  const file = join(server.folder, `${namespace}.${name}.kubeconfig`)
  writeFileSync(file, kubeconfig(server, { token, namespace }), { mode: 0o600 })
  return { namespace, name, kubeconfig: file, token }
}

/** Grants a service account these rules in all namespaces. */
export const grantEverywhere = async (server: ApiServer, who: AccountName, rules: readonly Rule[]): Promise<void> => {
  const metadata = { name: `${who.namespace}.${who.name}` }
  await applyAll(server, [{ apiVersion: rbac, kind: 'ClusterRole', metadata, rules }, binding('ClusterRole', who)])
}

const rbac = 'rbac.authorization.k8s.io/v1'

const binding = (kind: 'Role' | 'ClusterRole', { namespace, name }: AccountName): object => {
  const clusterWide = kind === 'ClusterRole'
  const metadata = clusterWide ? { name: `${namespace}.${name}` } : { namespace, name }
  return {
    apiVersion: rbac,
    kind: `${kind}Binding`,
    metadata,
    subjects: [{ kind: 'ServiceAccount', namespace, name }],
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind, name: metadata.name },
  }
}

const applyAll = (server: ApiServer, items: readonly object[]): Promise<string> =>
  command(server, 'kubectl', ['apply', '--server-side', '-f', '-'], {
    input: JSON.stringify({ apiVersion: 'v1', kind: 'List', items }),
  })
