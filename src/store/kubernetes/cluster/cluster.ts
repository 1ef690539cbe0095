/**
 * Where the API server is and with which credentials, from a kubeconfig or a pod's service account. No request is sent
 * here, and only kubeconfig.ts beside this file knows @kubernetes/client-node.
 */
import { readFileSync } from 'node:fs'
import { access, readFile, stat } from 'node:fs/promises'
import { homedir } from 'node:os'
import { delimiter, join } from 'node:path'
import type { ClusterTls } from './tls.ts'

/** Where the API server is and who we are there. Never log it: it holds credentials. */
export type Cluster = {
  /** Base URL. */
  readonly server: string
  /** Read it for each connection: certificates are renewed. */
  readonly tls: ClusterTls
  /** The headers that identify us. Call it before each request: tokens are renewed. */
  headers(): Promise<Readonly<Record<string, string>>>
  /** The namespace of the pod or of the context, else `default`. */
  readonly namespace: string
}

/** No cluster was found, or its configuration cannot be used; the message says what to do. */
export class ClusterError extends Error {
  override readonly name = 'ClusterError'
}

/** Where the kubelet mounts what a pod needs. https://kubernetes.io/docs/tasks/run-application/access-api-from-pod/ */
const mounted = '/var/run/secrets/kubernetes.io/serviceaccount'

/** As the options of kubectl have it. */
export type ClusterChoice = { readonly kubeconfig?: string; readonly context?: string }

/**
 * Finds the cluster as other programs do: the kubeconfig that is chosen, else the file in `$KUBECONFIG`, else, inside a pod, its service account, else
 * `~/.kube/config`. @throws ClusterError
 */
export const findCluster = async (
  env: NodeJS.ProcessEnv = process.env,
  { kubeconfig, context }: ClusterChoice = {},
): Promise<Cluster> => {
  const files = kubeconfig ?? env.KUBECONFIG
  if (files)
    return fromKubeconfig(kubeconfig ? [kubeconfig] : files.split(delimiter).filter((path) => path !== ''), context)
  if (env.KUBERNETES_SERVICE_HOST && context === undefined)
    return fromPod(env.KUBERNETES_SERVICE_HOST, env.KUBERNETES_SERVICE_PORT)
  const usual = join(homedir(), '.kube', 'config')
  const exists = await access(usual).then(
    () => true,
    () => false,
  )
  if (exists) return fromKubeconfig([usual], context)
  throw new ClusterError('No cluster found: set KUBECONFIG to the path of a kubeconfig, or run in a pod of the cluster')
}

/** `folder` is where the service account is mounted. @throws ClusterError */
export const fromPod = async (host: string, port = '443', folder = mounted): Promise<Cluster> => {
  const use = <T>(file: string, how: (path: string) => Promise<T>): Promise<T> => {
    const path = join(folder, file)
    return how(path).catch((cause) => {
      const hint = 'give the pod a service account and set automountServiceAccountToken: true'
      throw new ClusterError(`The pod's service account cannot be read from ${path}: ${hint}`, { cause })
    })
  }
  const text = (path: string) => readFile(path, 'utf8')
  let token = ''
  let seen = ''
  const headers = async (): Promise<Record<string, string>> => {
    // Times of files are a few milliseconds coarse; a token that is renewed is another file.
    const { ino, mtimeMs } = await use('token', (path) => stat(path))
    const now = `${ino} ${mtimeMs}`
    if (now !== seen) token = (await use('token', text)).trim()
    seen = now
    return { authorization: `Bearer ${token}` }
  }
  await headers()
  await use('ca.crt', text)
  const namespace = (await use('namespace', text)).trim()
  return {
    server: `https://${host.includes(':') ? `[${host}]` : host}:${port}`,
    get tls() {
      return { ca: readFileSync(join(folder, 'ca.crt')) }
    },
    headers,
    namespace,
  }
}

/** Files are not read, and programs not asked for a token, for each request. */
const freshMs = 10_000

/** @throws ClusterError */
const fromKubeconfig = async (paths: readonly string[], chosen?: string): Promise<Cluster> => {
  const because = (what: string) => (cause: unknown) => {
    throw new ClusterError(`${what}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause })
  }
  // A pod with a service account does not need to load what reads kubeconfigs.
  const { readKubeconfig } = await import('./kubeconfig.ts')
  const { context, cluster, namespace, credentials } = await readKubeconfig(paths, chosen).catch(
    because('The kubeconfig cannot be read'),
  )
  if (cluster === undefined) {
    const hint = 'choose a context with kubectl config use-context'
    throw new ClusterError(`The kubeconfig has no cluster for the context ${context || '(none is chosen)'}: ${hint}`)
  }
  if (cluster.proxyUrl) throw new ClusterError('The kubeconfig names a proxy-url, which Waybill does not support')
  let known = await credentials().catch(because('The credentials of the kubeconfig cannot be used'))
  let readAt = performance.now()
  return {
    server: cluster.server,
    get tls() {
      return known.tls
    },
    async headers() {
      if (performance.now() - readAt > freshMs) {
        known = await credentials()
        readAt = performance.now()
      }
      return known.headers
    },
    namespace: namespace || 'default',
  }
}
