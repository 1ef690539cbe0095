import { readFileSync } from 'node:fs'
import { parse } from 'yaml'
import { anchorsOf, textOf } from '../docs/pages.ts'
import { incidents } from './incidents.ts'
import { quietDays } from './quiet-days.ts'
import { alertsFile, evaluate, fires, healthy, mail, quietDay } from './timelines.ts'

type Rule = { readonly alert?: string; readonly annotations?: { readonly runbook_url?: string } }

const { groups } = parse(readFileSync(alertsFile, 'utf8')) as { groups: { rules: Rule[] }[] }
const alerts = groups.flatMap(({ rules }) => rules).filter(({ alert }) => alert !== undefined)

const passed = { code: 0, out: expect.stringContaining('SUCCESS') }

test.each(incidents)('$what: alerts fire once, in time, and resolve', async ({ minutes, series, firing }) => {
  const timeline = { ...healthy(minutes), ...series }
  expect(await fires(timeline, minutes, firing)).toEqual(passed)
})

test.each(quietDays)('nothing fires on a day on which $what', async ({ hours, every, series }) => {
  expect(await quietDay(series, hours, every)).toEqual(passed)
})

test('each alert fires in one of the incidents', () => {
  const fired = new Set(incidents.flatMap(({ firing }) => firing.map(([alert]) => alert)))
  expect(alerts.map(({ alert }) => alert).filter((alert = '') => !fired.has(alert))).toEqual([])
})

test('an alert that fires unexpectedly is found', async () => {
  const series = `waybill_subscription_retry_blocked{${mail},instance="dispatcher-0"}`
  const timeline = { ...healthy(60), [series]: '0x9 1x50' }
  expect((await fires(timeline, 60, [])).code).toBe(1)
  expect((await quietDay(timeline, 1, 1)).out).toContain('WaybillCopiesNotConfirmed')
})

test('the runbook of each alert is a heading of its own', () => {
  for (const { alert, annotations } of alerts) {
    const [page = '', anchor = ''] = annotations?.runbook_url?.split('#') ?? []
    expect([page, anchor]).toEqual(['docs/operations.md', alert?.toLowerCase()])
    expect(anchorsOf(textOf(page))).toContain(anchor)
  }
})

test('the scaling signal counts what is delayed in all dispatchers, and goes on without them', async () => {
  const delayed = (instance: string, name = 'mail') =>
    `waybill_subscription_delayed_messages{namespace="shop",subscription="${name}",instance="${instance}"}`
  const pending = (name: string) =>
    `waybill_subscription_scaling_pending{namespace="shop",subscription="${name}",instance="operator-0"}`
  const timeline = {
    [pending('mail')]: '4x5',
    [pending('other')]: '7x5',
    [delayed('dispatcher-0')]: '10x5',
    [delayed('dispatcher-1')]: '20x5',
  }
  const sample = (subscription: string, value: number) => ({
    ...{ labels: `waybill:subscription_pending_with_delayed{namespace="shop",subscription="${subscription}"}`, value },
  })
  const expr = 'waybill:subscription_pending_with_delayed'
  const exp_samples = [sample('mail', 34), sample('other', 7)]
  expect(await evaluate(timeline, [{ expr, eval_time: '3m', exp_samples }])).toEqual(passed)
})
