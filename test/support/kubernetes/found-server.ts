import { type Account, type AccountName, account, grantEverywhere, type Rule } from './account.ts'
import { type CommandOptions, command } from './command.ts'
import { type ApiServer, variable } from './server.ts'
import { createNamespace, type TestNamespace } from './test-namespace.ts'

/** The API server of this run: etcd and kube-apiserver with RBAC and Waybill's CRDs, and no controllers at all. */
export const apiServer = (): ApiServer => {
  const found = process.env[variable]
  if (!found) throw new Error('There is no API server. Tests that need one belong into describeWithApiServer')
  return JSON.parse(found)
}

/** Runs the real kubectl, as administrator unless `options` names another kubeconfig. */
export const kubectl = (args: readonly string[], options?: CommandOptions): Promise<string> =>
  command(apiServer(), 'kubectl', args, options)

/** Runs the real helm, as administrator unless `options` names another kubeconfig. */
export const helm = (args: readonly string[], options?: CommandOptions): Promise<string> =>
  command(apiServer(), 'helm', args, options)

/** A new namespace; call `drop` at the end. */
export const namespace = (prefix = 'test'): Promise<TestNamespace> => createNamespace(apiServer(), prefix)

/** A kubeconfig and a token of a service account, which is created if it does not exist. */
export const clusterAs = (who: AccountName): Promise<Account> => account(apiServer(), who, [])

/** Grants a service account these rules in all namespaces. */
export const grant = (who: AccountName, rules: readonly Rule[]): Promise<void> =>
  grantEverywhere(apiServer(), who, rules)
