import { execFile } from 'node:child_process'
import { dirname } from 'node:path'
import { promisify } from 'node:util'
import { apiServer, describeWithHelm, helm, kubectl, namespace } from '../support/api-server.ts'
import { chart, type Manifest, render } from '../support/chart.ts'
import type { TestNamespace } from '../support/kubernetes/test-namespace.ts'
import { all } from './values.ts'

const restricted = { 'pod-security.kubernetes.io/enforce': 'restricted' }
type Workload = { readonly template?: { readonly metadata: object; readonly spec: object } }

describeWithHelm('the chart on an API server', () => {
  let own: TestNamespace
  beforeAll(async () => {
    own = await namespace()
    const labels = Object.entries(restricted).map(([key, value]) => `${key}=${value}`)
    await kubectl(['label', 'namespace', own.name, ...labels])
  })
  afterAll(() => own.drop())

  const dryRun = (items: readonly object[]): Promise<string> =>
    kubectl(['apply', '--dry-run=server', '-f', '-'], {
      input: JSON.stringify({ apiVersion: 'v1', kind: 'List', items }),
    })

  test.each([
    ['the defaults', {}],
    ['every option', all],
    ['its own namespace alone', { watchNamespaces: ['OWN'] }],
  ])('an API server accepts every manifest that the chart renders with %s', async (_name, values) => {
    const input = JSON.parse(JSON.stringify(values).replace('OWN', own.name))
    const manifests = await render({ namespace: own.name, values: input })
    // The kinds of the Prometheus operator are not installed on this API server.
    const known = manifests.filter(({ apiVersion }) => !apiVersion.startsWith('monitoring.coreos.com/'))
    const said = await dryRun(known)
    expect(said.trim().split('\n')).toHaveLength(known.length)
    expect(said).not.toContain('Warning')
  })

  test.each([
    ['the defaults', {}],
    ['every option', { ...all, operator: {}, dispatcher: {}, console: { enabled: true, tlsSecretName: 'tls' } }],
  ])('a namespace that enforces restricted accepts the pods that the chart renders with %s', async (_name, values) => {
    const pods = (await render({ namespace: own.name, values })).flatMap(podOf)
    expect(pods.map(({ metadata }) => metadata.name).sort()).toEqual([
      ...('console' in values ? ['waybill-console'] : []),
      'waybill-dispatcher',
      'waybill-operator',
      'waybill-test',
    ])
    await dryRun(pods)
    for (const pod of pods) {
      const { containers } = pod.spec as { containers: { securityContext: object }[] }
      expect(containers.map(({ securityContext }) => securityContext)).toEqual([
        { allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: { drop: ['ALL'] } },
      ])
      const bare = containers.map(({ securityContext: _, ...rest }) => rest)
      // Shows that the namespace enforces the level at all.
      await expect(dryRun([{ ...pod, spec: { ...(pod.spec as object), containers: bare } }])).rejects.toThrow(
        'violates PodSecurity "restricted',
      )
    }
  })

  test('the first subscription of NOTES.txt can be applied as printed', async () => {
    const printed = await helm(
      // The CRDs are there, and not of a release.
      ['install', 'waybill', chart, '--dry-run=client', '--namespace', own.name, '--set', 'crds.install=false'],
    )
    const notes = printed.slice(printed.indexOf('NOTES:'))
    expect(notes).toContain(`kubectl -n ${own.name} wait --for=condition=Available`)
    expect(notes).not.toMatch(/%!|\{\{|<no value>/)
    const script = /^kubectl -n default apply[\s\S]*?^EOF$/m.exec(notes)?.[0].replaceAll('-n default', `-n ${own.name}`)
    const { assets, kubeconfig, folder } = apiServer()
    const env = { PATH: `${dirname(assets.kubectl)}:${process.env.PATH}`, KUBECONFIG: kubeconfig, HOME: folder }
    const { stdout } = await promisify(execFile)('sh', ['-c', script ?? 'exit 1'], { env })
    expect(stdout.trim().split('\n')).toEqual([
      'broker.waybill.dev/rabbitmq created',
      'topic.waybill.dev/orders created',
      'subscription.waybill.dev/billing created',
    ])
  })

  test('NOTES.txt names no namespace that watchNamespaceSelector may not select', async () => {
    const more = ['--namespace', own.name, '--set', 'crds.install=false,watchNamespaceSelector=team=orders']
    const printed = await helm(['install', 'waybill', chart, '--dry-run=client', ...more])
    expect(printed).toContain('kubectl -n NAMESPACE apply -f -')
    expect(printed).not.toContain('-n default')
  })
})

/** The pods that Deployments would create, and the pods among the manifests. */
const podOf = ({ kind, metadata, spec }: Manifest): Manifest[] => {
  const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { ...metadata, name: metadata.name } }
  if (kind === 'Pod') return [{ ...pod, spec }]
  const { template } = (spec ?? {}) as Workload
  return kind === 'Deployment' && template ? [{ ...pod, spec: template.spec }] : []
}
