import { fileURLToPath } from 'node:url'
import { parseAllDocuments } from 'yaml'
import type { Account, Rule } from './kubernetes/account.ts'
import { clusterAs, helm, kubectl } from './kubernetes/found-server.ts'

/** The chart's folder. */
export const chart = fileURLToPath(new URL('../../charts/waybill', import.meta.url))

export type Manifest = {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: {
    readonly name: string
    readonly namespace?: string
    readonly labels: Readonly<Record<string, string>>
    readonly annotations?: Readonly<Record<string, string>>
  }
  readonly spec?: unknown
  readonly rules?: readonly Rule[]
}

export type RenderOptions = {
  readonly release?: string
  readonly namespace?: string
  /** In the format of a values file. Without `crds`, the CRDs are left out: they are most of the text, and the same each time. */
  readonly values?: object
}

/** The manifests that `helm template` renders. */
export const render = async ({
  release = 'waybill',
  namespace = 'waybill',
  values = {},
}: RenderOptions = {}): Promise<Manifest[]> => {
  const text = await helm(
    ['template', release, chart, '--kube-version', '1.36', '--namespace', namespace, '--values', '-'],
    {
      input: JSON.stringify({ crds: { install: false }, ...values }),
    },
  )
  return parseAllDocuments(text)
    .map((document) => document.toJS() as Manifest | null)
    .filter((manifest) => manifest !== null)
}

export type RoleOptions = {
  /** Where Waybill is installed. */
  readonly namespace: string
  /**
   * Default: `waybill`; without `watchNamespaces` the name of the namespace, because names of ClusterRoles are global.
   */
  readonly release?: string
  readonly watchNamespaces?: readonly string[]
  /** Further values. */
  readonly values?: object
}

/** The chart's service accounts, with their roles and bindings. */
export const chartRoles = async (options: RoleOptions): Promise<Manifest[]> => {
  const { namespace, watchNamespaces = [], release, values } = options
  const named = release ?? (watchNamespaces.length > 0 ? 'waybill' : namespace)
  const manifests = await render({ release: named, namespace, values: { ...values, watchNamespaces } })
  return manifests.filter(({ kind }) => /^ServiceAccount$|Role(Binding)?$/.test(kind))
}

/**
 * Creates the service accounts of operator and dispatcher on the API server of the tests, with exactly the chart's
 * roles. The name of an account is also the name of the only Lease that it may use: `--lease-name`.
 */
export const installChartRoles = async (
  options: RoleOptions,
): Promise<{ readonly operator: Account; readonly dispatcher: Account }> => {
  const items = await chartRoles(options)
  await kubectl(['apply', '--server-side', '-f', '-'], {
    input: JSON.stringify({ apiVersion: 'v1', kind: 'List', items }),
  })
  const account = (component: string): Promise<Account> => {
    const found = items.find(
      ({ kind, metadata }) => kind === 'ServiceAccount' && metadata.labels['app.kubernetes.io/component'] === component,
    )
    if (found === undefined) throw new Error(`The chart has no service account for the ${component}`)
    return clusterAs({ namespace: options.namespace, name: found.metadata.name })
  }
  return { operator: await account('operator'), dispatcher: await account('dispatcher') }
}
