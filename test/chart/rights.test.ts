import { deadLetterPolicy } from '../../src/api/kinds/dead-letter-policy.ts'
import { jobKinds, kinds } from '../../src/api/kinds/kinds.ts'
import { group } from '../../src/api/resource.ts'
import { describeWithHelm, kubectl, namespace } from '../support/api-server.ts'
import { installChartRoles, type Manifest, render } from '../support/chart.ts'
import type { Rule } from '../support/kubernetes/account.ts'
import { nameOf } from './changes.ts'
import { all } from './values.ts'

const resources = kinds.map(({ plural }) => plural).sort()
const editable = resources.filter((name) => name !== 'discards')
const change = ['create', 'update', 'patch', 'delete', 'deletecollection']
const jobs: readonly string[] = jobKinds.map(({ plural }) => plural).sort()
const statusesOf = (names: readonly string[]): string[] => names.map((name) => `${name}/status`)
const rule = (
  apiGroup: string,
  names: readonly string[],
  verbs: readonly string[],
  resourceNames?: string[],
): Rule => ({
  apiGroups: [apiGroup],
  resources: names,
  verbs,
  ...(resourceNames === undefined ? {} : { resourceNames }),
})
const secrets = rule('', ['secrets'], ['get'])
const labels = rule('', ['namespaces'], ['list', 'watch'])
const events = rule('', ['events'], ['create', 'patch'])
const operator = [
  rule(group, resources, ['get', 'list', 'watch', 'patch']),
  rule(group, statusesOf(resources.filter((name) => !jobs.includes(name))), ['patch']),
  secrets,
  events,
]
const dispatcher = [
  rule(group, resources, ['get', 'list', 'watch']),
  rule(group, ['queues/status', 'subscriptions/status'], ['patch']),
  rule(group, statusesOf(jobs), ['patch']),
  rule(group, ['replays', 'discards'], ['delete']),
  secrets,
  events,
]
const lease = (name: string): Rule[] => [
  rule('coordination.k8s.io', ['leases'], ['create']),
  rule('coordination.k8s.io', ['leases'], ['get', 'update'], [name]),
]
const leases = {
  'Role/waybill-operator-lease': [
    ...lease('waybill-operator'),
    rule('coordination.k8s.io', ['leases'], ['get'], ['waybill-dispatcher']),
  ],
  'Role/waybill-dispatcher-lease': lease('waybill-dispatcher'),
}

const rulesByRole = (manifests: readonly Manifest[]): Record<string, readonly Rule[]> =>
  Object.fromEntries(manifests.flatMap((one) => (one.rules ? [[nameOf(one), one.rules]] : [])))

describeWithHelm('the permissions of the chart', () => {
  test('the permissions of the chart without watchNamespaces are ClusterRoles with exactly these rules', async () => {
    expect(rulesByRole(await render())).toEqual({
      'ClusterRole/waybill-operator': [...operator.slice(0, 2), labels, ...operator.slice(2)],
      'ClusterRole/waybill-dispatcher': dispatcher,
      'ClusterRole/waybill-view': [rule(group, resources, ['get', 'list', 'watch'])],
      'ClusterRole/waybill-edit': [rule(group, editable, change)],
      'ClusterRole/waybill-dead-letters-admin': [rule(group, ['discards'], change)],
      ...leases,
    })
  })

  test('the right to take finalizers off outlives a watched namespace, unless it is not wanted', async () => {
    const rules = rulesByRole(await render({ values: { watchNamespaces: ['shop'] } }))
    expect(rules['ClusterRole/waybill-operator-finalizers']).toEqual([
      rule(group, resources, ['get', 'list', 'watch', 'patch']),
      operator[1],
    ])
    expect(Object.keys(rules).filter((name) => name.startsWith('ClusterRole/'))).toHaveLength(1)
  })

  test('the permissions with watchNamespaces are Roles with the same rules but for namespaces, and nothing is cluster-wide', async () => {
    const values = { watchNamespaces: ['shop', 'billing'], rbac: { finalizersEverywhere: false } }
    const manifests = await render({ values })
    expect(rulesByRole(manifests)).toEqual({
      'Role/shop/waybill-operator': operator,
      'Role/shop/waybill-dispatcher': dispatcher,
      'Role/billing/waybill-operator': operator,
      'Role/billing/waybill-dispatcher': dispatcher,
      ...leases,
    })
    expect(manifests.filter(({ metadata }) => metadata.namespace === undefined)).toEqual([])
    const commands = JSON.stringify(manifests.filter(({ kind }) => kind === 'Deployment'))
    expect(commands.match(/--watch-namespace=\w+/g)).toEqual([
      ...['--watch-namespace=shop', '--watch-namespace=billing'],
      ...['--watch-namespace=shop', '--watch-namespace=billing'],
    ])
  })

  test('with watchNamespaceSelector the permissions are ClusterRoles, and both processes may read the labels of namespaces', async () => {
    const manifests = await render({ values: { watchNamespaceSelector: 'team in (a, b),env!=test' } })
    const rules = rulesByRole(manifests)
    for (const component of ['operator', 'dispatcher']) {
      expect(rules[`ClusterRole/waybill-${component}`]).toContainEqual(labels)
      const deployment = manifests.find((one) => nameOf(one) === `Deployment/waybill-${component}`)
      expect(JSON.stringify(deployment)).toContain('"--watch-namespace-selector=team in (a, b),env!=test"')
    }
    const both = { watchNamespaces: ['shop'], watchNamespaceSelector: 'a=b' }
    await expect(render({ values: both })).rejects.toThrow(
      'watchNamespaces and watchNamespaceSelector exclude each other',
    )
  })

  test('the permissions with the data port are those, to ask who may see dead letters, and no more than that for users', async () => {
    const data = { enabled: true, tlsSecretName: 'data-tls' }
    const [without, found] = await Promise.all([render(), render({ values: { dispatcher: { data } } })]).then((both) =>
      both.map(rulesByRole),
    )
    expect(JSON.stringify(without)).not.toMatch(/reviews|subscriptions\/deadletters|deadletterbodies/)
    expect(found).toEqual({
      ...without,
      'ClusterRole/waybill-view': [
        ...without!['ClusterRole/waybill-view']!,
        rule(group, ['subscriptions/deadletters'], ['get', 'list']),
      ],
      'ClusterRole/waybill-data-reviews': [
        rule('authentication.k8s.io', ['tokenreviews'], ['create']),
        rule('authorization.k8s.io', ['subjectaccessreviews'], ['create']),
      ],
      'ClusterRole/waybill-dead-letters-admin': [
        rule(group, ['discards'], change),
        rule(group, ['subscriptions/deadletters'], ['get', 'list', 'update']),
        rule(group, ['subscriptions/deadletterbodies'], ['get']),
      ],
      'Role/waybill-data-port': [
        { ...rule('coordination.k8s.io', ['leases'], ['get']), resourceNames: ['waybill-dispatcher'] },
        rule('', ['pods/portforward'], ['get', 'create']),
      ],
    })
  })

  test('the console is not there unless it is enabled, and has no right at all', async () => {
    const [without, found] = await Promise.all([
      render(),
      render({ values: { console: { enabled: true, tlsInFront: true } } }),
    ])
    expect(without.map(nameOf).filter((name) => name.includes('console'))).toEqual([])
    expect(rulesByRole(found)).toEqual(rulesByRole(without))
    const bindings = found.filter(({ kind }) => kind.endsWith('Binding'))
    expect(JSON.stringify(bindings)).not.toContain('console')
  })

  test.each([
    ['the defaults', {}],
    ['every option', all],
    ['some namespaces', { watchNamespaces: ['shop', 'waybill'] }],
  ])(
    'the permissions with %s have no wildcard, only get for Secrets, and one account of the chart for each role',
    async (_name, values) => {
      const manifests = await render({ values })
      const rules = manifests.flatMap(({ rules = [] }) => rules)
      expect(JSON.stringify(rules)).not.toContain('*')
      expect(rules.filter((one) => one.resources.includes('secrets') && one.verbs.join() !== 'get')).toEqual([])
      const names = new Set(manifests.map(nameOf))
      for (const manifest of manifests.filter(({ kind }) => kind.endsWith('Binding'))) {
        const { roleRef, subjects } = manifest as unknown as Binding
        const prefix =
          roleRef.kind === 'Role' && manifest.metadata.namespace !== 'waybill' ? `${manifest.metadata.namespace}/` : ''
        expect(names).toContain(`${roleRef.kind}/${prefix}${roleRef.name}`)
        expect(subjects).toHaveLength(1)
        expect(names).toContain(`ServiceAccount/${subjects[0]?.name}`)
        expect(subjects[0]?.namespace).toBe('waybill')
      }
    },
  )

  test('an API server with the permissions of the chart allows only the watched namespace and the own Lease, and to release resources elsewhere', async () => {
    const [own, other] = await Promise.all([namespace(), namespace()])
    const accounts = await installChartRoles({ namespace: own.name, watchNamespaces: [own.name] })
    const may = async (who: 'operator' | 'dispatcher', where: string, verb: string, ...what: string[]) => {
      const { kubeconfig } = accounts[who]
      const answer = await kubectl(['auth', 'can-i', verb, ...what, '-n', where], { kubeconfig }).catch(String)
      return answer.trim() === 'yes'
    }
    const asked = await Promise.all([
      may('operator', own.name, 'patch', 'subscriptions.waybill.dev', '--subresource=status'),
      may('operator', own.name, 'get', 'secrets'),
      may('dispatcher', own.name, 'update', 'leases.coordination.k8s.io/waybill-dispatcher'),
      may('dispatcher', own.name, 'patch', 'subscriptions.waybill.dev', '--subresource=status'),
      // Those that are released.
      may('operator', other.name, 'list', `${deadLetterPolicy.plural}.${group}`),
    ])
    const refused = await Promise.all([
      may('operator', own.name, 'list', 'secrets'),
      may('operator', own.name, 'delete', 'subscriptions.waybill.dev'),
      may('operator', own.name, 'update', 'leases.coordination.k8s.io/waybill-dispatcher'),
      may('operator', other.name, 'get', 'secrets'),
      may('dispatcher', other.name, 'list', `${deadLetterPolicy.plural}.${group}`),
      may('dispatcher', own.name, 'patch', 'subscriptions.waybill.dev'),
      may('dispatcher', own.name, 'patch', 'brokers.waybill.dev', '--subresource=status'),
    ])
    expect({ asked, refused }).toEqual({ asked: asked.map(() => true), refused: refused.map(() => false) })
    await Promise.all([own.drop(), other.drop()])
  })
})

type Binding = {
  readonly roleRef: { readonly kind: string; readonly name: string }
  readonly subjects: readonly { readonly name: string; readonly namespace: string }[]
}
