import { existsSync, readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import type { Log } from '../broker.ts'
import { goBuild } from './go-build.ts'

/** Paths of the programs that form an API server, and of its clients. */
export type Assets = {
  readonly etcd: string
  readonly 'kube-apiserver': string
  readonly kubectl: string
  readonly helm?: string
}

/** The Go modules of this folder, each with its go.mod, and the package of each program. */
const modules = {
  etcd: { etcd: 'go.etcd.io/etcd/server/v3' },
  kube: { 'kube-apiserver': 'k8s.io/kubernetes/cmd/kube-apiserver', kubectl: 'k8s.io/kubernetes/cmd/kubectl' },
  helm: { helm: 'helm.sh/helm/v3/cmd/helm' },
} as const

const goMod = readFileSync(new URL('kube/go.mod', import.meta.url), 'utf8')
const version = /^require k8s\.io\/kubernetes v(\S+)/m.exec(goMod)?.[1] ?? 'unknown'

/** Kubernetes reports a version that is set at link time; charts with a kubeVersion need it. */
const [major = '', minor = ''] = version.split('.')
const variables = Object.fromEntries(
  Object.entries({ gitVersion: `v${version}`, gitMajor: major, gitMinor: minor }).map(([name, value]) => [
    `k8s.io/component-base/version.${name}`,
    value,
  ]),
)

/** Where programs are kept between runs. */
const cache = (env: NodeJS.ProcessEnv): string =>
  join(env.WAYBILL_CACHE || join(homedir(), '.cache', 'waybill'), `kube-${version}`, 'bin')

/**
 * etcd, kube-apiserver, kubectl and helm: each from `KUBEBUILDER_ASSETS`, else from the cache, else built into it with
 * `go` from the module proxy, at the versions pinned in this folder.
 *
 * @throws when a program cannot be built; the message says why
 */
export const findAssets = async (log: Log, env: NodeJS.ProcessEnv): Promise<Assets> => {
  const folder = cache(env)
  const folders = [...(env.KUBEBUILDER_ASSETS ? [env.KUBEBUILDER_ASSETS] : []), folder]
  const found = (name: string): string | undefined =>
    folders.map((where) => join(where, name)).find((file) => existsSync(file))
  const make = async (module: keyof typeof modules): Promise<void> => {
    const packages = Object.fromEntries(Object.entries(modules[module]).filter(([name]) => !found(name)))
    if (Object.keys(packages).length === 0) return
    await goBuild({ module: new URL(`${module}/`, import.meta.url), folder, packages, variables, log, env })
  }
  await make('etcd')
  await make('kube')
  // The usual KUBEBUILDER_ASSETS do not contain helm. Without it, only the tests of the chart are skipped.
  const noHelm = await make('helm').catch((error: Error) => error)
  if (noHelm && env.CI) throw noHelm
  if (noHelm) log(`The tests of the chart are SKIPPED. ${noHelm.message}`)
  const path = (name: string): string => found(name) ?? join(folder, name)
  return {
    etcd: path('etcd'),
    'kube-apiserver': path('kube-apiserver'),
    kubectl: path('kubectl'),
    ...(noHelm ? {} : { helm: path('helm') }),
  }
}
