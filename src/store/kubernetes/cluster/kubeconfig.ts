import { readFile } from 'node:fs/promises'
import type { RequestOptions } from 'node:https'
import { dirname, resolve } from 'node:path'
// The package as a whole would load a class for each kind of Kubernetes: 52 MB of memory and a third of a second. Files
// within it may move with any release, so its version is pinned.
import {
  type Cluster,
  type Context,
  newClusters,
  newContexts,
  newUsers,
  type User,
} from '@kubernetes/client-node/dist/config_types.js'
import { ExecAuth } from '@kubernetes/client-node/dist/exec_auth.js'
import { parse } from 'yaml'
import type { ClusterTls } from './tls.ts'

/** One context of the kubeconfigs. */
export type Kubeconfig = {
  readonly context: string
  readonly namespace: string | undefined
  readonly cluster: Cluster | undefined
  /** Reads files and runs programs anew, each time. Rejects with what does not work. */
  credentials(): Promise<Credentials>
}

export type Credentials = { readonly tls: ClusterTls; readonly headers: Readonly<Record<string, string>> }

/** What an exec plugin adds to a request. */
type ExecAnswer = {
  readonly cert?: string
  readonly key?: string
  readonly headers?: { readonly Authorization?: string }
}
type Account = User & { readonly tokenFile?: string }
type Entries = {
  readonly current: string | undefined
  readonly contexts: readonly Context[]
  readonly clusters: readonly Cluster[]
  readonly users: readonly Account[]
}

/**
 * Reads the files that `KUBECONFIG` names: an entry in several of them is that of the first, and where there are several,
 * one may be missing. `chosen` names another context than the current one. https://kubernetes.io/docs/concepts/configuration/organize-cluster-access-kubeconfig/
 */
export const readKubeconfig = async (paths: readonly string[], chosen?: string): Promise<Kubeconfig> => {
  const files: Entries[] = []
  for (const path of paths) {
    const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT' && paths.length > 1) return undefined
      throw error
    })
    if (text !== undefined) files.push(entriesOf(text, dirname(resolve(path))))
  }
  const named = <T extends { readonly name: string }>(
    list: (file: Entries) => readonly T[],
    name: string | undefined,
  ) => files.flatMap(list).find((one) => one.name === name)
  const current = chosen ?? files.find((file) => file.current)?.current
  const context = named(({ contexts }) => contexts, current)
  const cluster = context && named(({ clusters }) => clusters, context.cluster)
  const user = context?.user ? named(({ users }) => users, context.user) : undefined
  const exec = new ExecAuth()
  return {
    context: current ?? '',
    namespace: context?.namespace,
    cluster,
    async credentials() {
      const request: RequestOptions = {}
      if (user?.exec) await exec.applyAuthentication(user, request)
      const { cert, key, headers } = request as ExecAnswer
      return {
        tls: defined({
          ca: await content(cluster?.caData, cluster?.caFile),
          cert: cert ?? (await content(user?.certData, user?.certFile)),
          key: key ?? (await content(user?.keyData, user?.keyFile)),
          servername: cluster?.tlsServerName,
          rejectUnauthorized: cluster?.skipTLSVerify ? (false as const) : undefined,
        }),
        headers: defined({
          authorization: headers?.Authorization ?? (await authorization(user)),
          'impersonate-user': user?.impersonateUser,
        }),
      }
    },
  }
}

const entriesOf = (text: string, folder: string): Entries => {
  const file: Record<string, unknown> = Object(parse(text))
  const absolute = (path: string | undefined) => (path ? resolve(folder, path) : undefined)
  const raw = new Map((Array.isArray(file.users) ? file.users : []).map((one) => [Object(one).name, Object(one).user]))
  const tokenFile = ({ name }: User) => absolute(Object(raw.get(name)).tokenFile)
  const current = file['current-context']
  const withFiles = <T extends object>(one: T, files: object): T => ({ ...one, ...defined(files) })
  return {
    current: typeof current === 'string' && current !== '' ? current : undefined,
    contexts: newContexts(file.contexts),
    clusters: newClusters(file.clusters).map((one) => withFiles(one, { caFile: absolute(one.caFile) })),
    users: newUsers(file.users).map((one) =>
      withFiles(one, { certFile: absolute(one.certFile), keyFile: absolute(one.keyFile), tokenFile: tokenFile(one) }),
    ),
  }
}

const content = async (data: string | undefined, file: string | undefined): Promise<Buffer | undefined> =>
  data ? Buffer.from(data, 'base64') : file ? readFile(file) : undefined

const authorization = async (user: Account | undefined): Promise<string | undefined> => {
  if (user?.authProvider) {
    const { name } = user.authProvider as { readonly name?: string }
    throw new Error(`auth-provider ${name} is no longer supported by Kubernetes: use an exec plugin`)
  }
  const token = user?.tokenFile ? (await readFile(user.tokenFile, 'utf8')).trim() : user?.token
  if (token) return `Bearer ${token}`
  if (!user?.username) return undefined
  return `Basic ${Buffer.from(`${user.username}:${user.password ?? ''}`).toString('base64')}`
}

/** Without what is undefined. */
const defined = <T extends object>(options: T) =>
  Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: Exclude<T[K], undefined>
  }
