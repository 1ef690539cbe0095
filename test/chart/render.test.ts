import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from 'yaml'
import { describeWithHelm, helm } from '../support/api-server.ts'
import { chart, type Manifest, render } from '../support/chart.ts'
import { changes, nameOf } from './changes.ts'
import { options, othersByName } from './options.ts'
import { all, isTree, type Tree } from './values.ts'

describeWithHelm('the chart', () => {
  test.each(Object.entries(options))(
    'the chart value %s changes the expected fields and nothing else',
    async (_name, option) => {
      const [before, after] = await Promise.all([
        render({ values: option.from ?? {} }),
        render({ values: option.values }),
      ])
      expect(changes(before, after)).toEqual([...option.changes].sort())
    },
  )

  test('every value of values.yaml is tested', () => {
    const leaves = (tree: Tree, path: string): string[] =>
      Object.entries(tree).flatMap(([key, value]) =>
        isTree(value) && key !== 'resources' ? leaves(value, `${path}${key}.`) : [`${path}${key}`],
      )
    const values = parse(readFileSync(join(chart, 'values.yaml'), 'utf8'))
    expect([...Object.keys(options), ...othersByName].sort()).toEqual(leaves(values, '').sort())
  })

  test.each([
    ['the defaults', {}],
    ['every option', all],
    ['some namespaces', { watchNamespaces: ['shop', 'billing'] }],
  ])('helm lint --strict passes with %s', async (_name, values) => {
    await helm(['lint', '--strict', chart, '--values', '-'], { input: JSON.stringify(values) })
  })

  test.each([
    ['waybill', '', 'waybill'],
    ['blue', '', 'blue-waybill'],
    ['waybill-blue', '', 'waybill-blue'],
    ['blue', 'post', 'post'],
    ['r'.repeat(53), '', 'r'.repeat(46)],
  ])(
    'objects of release %s with fullnameOverride %p have the prefix %s and valid names',
    async (release, fullnameOverride, fullname) => {
      const manifests = await render({ release, values: { fullnameOverride } })
      const names = manifests.map(({ metadata }) => metadata.name)
      expect(names.filter((name) => !name.startsWith(`${fullname}-`))).toEqual([])
      const limited = manifests.filter(({ kind }) => kind !== 'ClusterRole').map(({ metadata }) => metadata.name)
      expect(Math.max(...limited.map((name) => name.length))).toBeLessThanOrEqual(63)
      const text = JSON.stringify(manifests)
      expect(text).toContain(`--lease-name=${fullname}-operator`)
      expect(text).toContain(`--peers=${fullname}-dispatcher-peers:9402`)
    },
  )

  test('the names of the chart objects are unique, and every object has the labels of its release', async () => {
    const manifests = await render({ values: all })
    expect(new Set(manifests.map(nameOf)).size).toBe(manifests.length)
    for (const { metadata } of manifests) {
      expect(metadata.labels).toMatchObject({
        'app.kubernetes.io/name': 'waybill',
        'app.kubernetes.io/instance': 'waybill',
        'app.kubernetes.io/managed-by': 'Helm',
      })
    }
  })

  test('each selector of the chart selects the pods of its own component only', async () => {
    const manifests = await render({ values: all })
    const pods = new Map(
      manifests
        .filter(({ kind }) => kind === 'Deployment')
        .map(({ metadata, spec }) => [metadata.name, (spec as PodTemplate).template.metadata.labels]),
    )
    const found = Object.fromEntries(
      manifests.flatMap((manifest) => {
        const selector = selectorOf(manifest)
        if (selector === undefined) return []
        const hits = [...pods].filter(([, labels]) =>
          Object.entries(selector).every(([key, value]) => labels[key] === value),
        )
        return [[nameOf(manifest), hits.map(([name]) => name).join()]]
      }),
    )
    expect(found).toEqual(
      Object.fromEntries(
        ['operator', 'dispatcher', 'console'].flatMap((component) =>
          ['Deployment', 'Service', 'NetworkPolicy', ...(component === 'console' ? [] : ['PodDisruptionBudget'])]
            .map((kind) => [`${kind}/waybill-${component}`, `waybill-${component}`])
            .concat(
              component === 'dispatcher'
                ? ['peers', 'data'].map((name) => [`Service/waybill-dispatcher-${name}`, 'waybill-dispatcher'])
                : [],
            ),
        ),
      ),
    )
  })

  test('who may connect to the data port, where that is limited, includes the console that asks it', async () => {
    const data = { enabled: true, tlsSecretName: 'data-tls', ingressFrom: [{ podSelector: {} }] }
    const peersWith = async (console: object) => {
      const manifests = await render({ values: { dispatcher: { data }, console } })
      const policy = manifests.find((manifest) => nameOf(manifest) === 'NetworkPolicy/waybill-dispatcher')
      const spec = policy?.spec as { readonly ingress: readonly { readonly from: readonly Selecting[] }[] } | undefined
      return spec?.ingress[1]?.from.map(({ podSelector }) => podSelector?.matchLabels?.['app.kubernetes.io/component'])
    }
    expect(await peersWith({})).toEqual([undefined])
    expect(await peersWith({ enabled: true, tlsSecretName: 'tls' })).toEqual([undefined, 'console'])
    const elsewhere = { server: 'https://data.elsewhere' }
    expect(await peersWith({ enabled: true, tlsSecretName: 'tls', data: elsewhere })).toEqual([undefined])
  })

  test('the value replicas: null renders a Deployment without replicas', async () => {
    const manifests = await render({ values: { dispatcher: { replicas: null } } })
    const dispatcher = manifests.find((manifest) => nameOf(manifest) === 'Deployment/waybill-dispatcher')
    expect(dispatcher?.spec).not.toHaveProperty('replicas')
  })
})

type PodTemplate = { readonly template: { readonly metadata: { readonly labels: Record<string, string> } } }
type Selecting = { readonly selector?: Tree; readonly podSelector?: { readonly matchLabels?: Tree } }

const selectorOf = ({ kind, spec }: Manifest): Tree | undefined => {
  if (!['Deployment', 'Service', 'PodDisruptionBudget', 'NetworkPolicy'].includes(kind)) return undefined
  const { selector, podSelector } = spec as Selecting
  return (
    ((podSelector ?? (selector as { matchLabels?: Tree } | undefined))?.matchLabels as Tree | undefined) ?? selector
  )
}
