import { readFileSync } from 'node:fs'
import { parseAllDocuments } from 'yaml'
import { describeWithHelm, helm, kubectl } from '../support/api-server.ts'
import type { Manifest } from '../support/chart.ts'
import { baseArguments, baseFrom, kustomizeBase } from '../support/kustomize-base.ts'

describeWithHelm('kustomize', () => {
  test('the base is what npm run generate:kustomize writes', async () => {
    expect(readFileSync(kustomizeBase, 'utf8') === baseFrom(await helm(baseArguments))).toBe(true)
  })

  test('the overlay of the example builds: the base with an image, replicas, limits, and CRDs that are not pruned', async () => {
    const built = parseAllDocuments(await kubectl(['kustomize', 'examples/gitops/kustomize/production'])).map(
      (document) => document.toJS() as Manifest,
    )
    const of = (kind: string): Manifest[] => built.filter((one) => one.kind === kind)
    const deployments = of('Deployment').map(({ metadata, spec }) => [metadata.name, JSON.stringify(spec)] as const)
    expect(deployments).toEqual([
      ['waybill-dispatcher', expect.stringMatching(/"replicas":3,.*"registry.example\/waybill:[^"]+".*"memory":"1Gi"/)],
      ['waybill-operator', expect.stringMatching(/"replicas":2,.*"registry.example\/waybill:[^"]+".*"memory":"512Mi"/)],
    ])
    const kept = { 'kustomize.toolkit.fluxcd.io/prune': 'disabled' }
    expect(of('CustomResourceDefinition').map(({ metadata }) => metadata.annotations)).toEqual(
      Array.from({ length: 7 }, () => expect.objectContaining(kept)),
    )
  })
})
