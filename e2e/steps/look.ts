import assert from 'node:assert/strict'
import { eventually } from '../../test/support/wait.ts'
import { release, system } from '../names.ts'
import { metricsOf, podsOf } from '../waybill-pods.ts'
import type { World } from '../world.ts'

/** What kubectl and a monitoring system show. */
export const look = async ({ cluster, proxy, report }: World): Promise<void> => {
  report.section('kubectl and metrics')
  await report.step('kubectl get waybill -A lists every kind, with READY and AGE', async () => {
    const text = await cluster.kubectl(['get', 'waybill', '-A'])
    report.say.quote(text)
    const tables = text.trim().split('\n\n')
    for (const [kind, name] of [
      ['broker', 'rabbitmq'],
      ['topic', 'orders'],
      ['subscription', 'billing'],
      ['deadletterpolicy', 'keep'],
    ]) {
      const rows = tables.find((table) => table.includes(`${kind}.waybill.dev/${name} `))?.split('\n') ?? []
      const [head = '', ...body] = rows
      assert.match(head, /^NAMESPACE +NAME +.*READY.* AGE *$/, `kubectl printed no table of ${kind} with READY and AGE`)
      for (const row of body) assert.match(row, / True /, `this resource is not ready: ${row}`)
    }
  })
  await report.step('kubectl get accepts the short names', async () => {
    const said = await Promise.all(['wbb', 'wbt', 'wbs', 'wbdlp'].map((kind) => cluster.kubectl(['get', kind, '-A'])))
    assert(said.every((text) => text.includes('shop')))
  })
  await report.step('kubectl explain describes the fields of spec.delivery.retry', async () => {
    const text = await cluster.kubectl(['explain', 'subscription.spec.delivery.retry'])
    assert.match(text, /maxAttempts\s+<integer>[\s\S]*schedule\s+<\[\]string>/)
    assert(!text.includes('<no description>'), text)
  })
  const metrics = async (component: 'operator' | 'dispatcher', expected: RegExp): Promise<string> => {
    const pods = await podsOf(proxy, component)
    const scraped = async () => {
      const texts = await Promise.all(pods.map(({ metadata }) => metricsOf(proxy, metadata.name)))
      assert(
        texts.every((text) => /^waybill_\w+/m.test(text)),
        `a pod of the ${component} serves no metrics of Waybill`,
      )
      assert(
        texts.some((text) => expected.test(text)),
        `no pod of the ${component} serves ${expected}`,
      )
      return texts
    }
    const texts = await eventually(scraped, { timeoutMs: 20_000, everyMs: 500 })
    const names = new Set(
      texts.flatMap((text) => [...text.matchAll(/^# TYPE (waybill_\w+)/gm)].map(([, name]) => name)),
    )
    return `${names.size} metrics in ${pods.length} pods`
  }
  await report.step('each operator serves metrics, and one is connected to the broker', () =>
    metrics('operator', /^waybill_broker_connected\{namespace="shop",broker="rabbitmq"\} 1$/m),
  )
  await report.step('each dispatcher serves metrics, and one is connected to the broker', () =>
    metrics('dispatcher', /^waybill_broker_amqp_connected\{namespace="shop",broker="rabbitmq"\} 1$/m),
  )
  await report.step('helm test waybill passes', async () => {
    await cluster.helm(['-n', system, 'test', release, '--timeout', '120s'])
  })
}
