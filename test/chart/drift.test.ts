import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from 'yaml'
import { createMetrics } from '../../src/telemetry/metrics.ts'
import { waybill } from '../cli/waybill.ts'
import { describeWithHelm } from '../support/api-server.ts'
import { chart, render } from '../support/chart.ts'
import { all } from './values.ts'

type Deployment = {
  readonly template: { readonly spec: { readonly containers: readonly { readonly args: readonly string[] }[] } }
}

describeWithHelm('the arguments of the pods', () => {
  test.each(['operator', 'dispatcher'])(
    'the command waybill %s has every option that the chart passes to it',
    async (component) => {
      const manifests = await render({ values: { ...all, watchNamespaces: ['shop'] } })
      const deployment = manifests.find(
        ({ kind, metadata }) => kind === 'Deployment' && metadata.name.endsWith(component),
      )
      const [command = '', ...args] = (deployment!.spec as Deployment).template.spec.containers[0]!.args
      expect(command).toBe(component)
      const { out } = await waybill(command, '--help')
      const given = args.map((argument) => argument.split('=')[0])
      expect(out.match(/--[a-z-]+/g)).toEqual(expect.arrayContaining(given))
    },
  )
})

test('every metric in an alert of the chart exists', async () => {
  const { groups } = parse(readFileSync(join(chart, 'alerts.yaml'), 'utf8')) as {
    groups: { rules: { expr: string; annotations: { summary: string } }[] }[]
  }
  const families = await createMetrics().registry.getMetricsAsJSON()
  const known = new Set(families.map(({ name }) => name))
  const rules = groups.flatMap(({ rules }) => rules)
  const asked = rules.flatMap(({ expr }) => expr.match(/waybill_[a-z_]+/g) ?? [])
  expect(asked.filter((name) => !known.has(name))).toEqual([])
  expect(asked.length).toBeGreaterThanOrEqual(rules.length)
})

test('the chart, the image and the npm package have the same version', () => {
  const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string }
  const described = parse(readFileSync(join(chart, 'Chart.yaml'), 'utf8')) as { version: string; appVersion: string }
  const image = /^ARG VERSION=(.*)$/m.exec(readFileSync('Dockerfile', 'utf8'))?.[1]
  expect([described.version, described.appVersion, image]).toEqual([version, version, version])
})
