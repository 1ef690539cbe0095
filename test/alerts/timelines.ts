import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { chart } from '../support/chart.ts'
import { promtool, type Ran } from '../support/prometheus.ts'

/** Samples of one series, one a minute, in the notation of promtool: `0x9 1x4 _x5`. A minute with `_` has no sample. */
export type Samples = string
/** By series, as they are in the metrics, with the labels of where they were scraped. */
export type Timeline = Readonly<Record<string, Samples>>
/** In minutes: from the first in which it fires to the first in which it does not any more. */
export type Firing = readonly [alert: string, from: number, to: number]

export const alertsFile = join(chart, 'alerts.yaml')
const job = (component: string) => `namespace="waybill",job="waybill-${component}"`
/** The labels of a pod: `operator-0`. */
export const pod = (name: string): string => `${job(name.split('-')[0] ?? '')},instance="${name}"`

const of = 'namespace="shop"'
export const mail = `${of},subscription="mail"`

/** A value that stays. */
export const always = (value: number, minutes: number): Samples => `${value}x${minutes}`

/** Values one after another, each for so many minutes; `undefined`: there is no series. */
export const stretches = (...all: readonly (readonly [value: number | undefined, minutes: number])[]): Samples =>
  all.map(([value, minutes]) => (value === undefined ? `stale _x${minutes - 1}` : `${value}x${minutes - 1}`)).join(' ')

/** The pods of an installation at rest, for so many minutes; the first of each kind leads. */
export const pods = (names: readonly string[], minutes: number): Timeline =>
  Object.fromEntries(
    names.flatMap((name) => {
      const component = name.split('-')[0]
      const leads = name.endsWith('-0') ? 1 : 0
      return [
        [`waybill_build_info{${pod(name)},component="${component}",version="1"}`, always(1, minutes)],
        [`waybill_leading{${pod(name)}}`, always(leads, minutes)],
      ]
    }),
  )

export const delivered = (instance = 'dispatcher-0'): string =>
  `waybill_delivery_attempts_total{${mail},outcome="delivered",code_class="2xx",instance="${instance}"}`
export const ready = `waybill_subscription_backlog{${mail},state="ready",instance="operator-0"}`
export const delivering = (reason: string, instance = 'operator-0'): string =>
  `waybill_subscription_delivering{${mail},reason="${reason}",instance="${instance}"}`

/** When a watch of a pod last received something. */
export const watch = (name: string, kind = 'Subscription'): string =>
  `waybill_watch_received_timestamp_seconds{${of},kind="${kind}",job="waybill-${name.split('-')[0]}",instance="${name}"}`
/** From one minute on, for so many, something is received. */
export const hears = (from: number, minutes: number): Samples => `${from * 60}+60x${minutes - 1}`

/** What all pods say while a subscriber takes 30 messages a minute. */
export const healthy = (minutes: number): Timeline => ({
  ...pods(['operator-0', 'operator-1', 'dispatcher-0', 'dispatcher-1'], minutes),
  ...Object.fromEntries(
    Object.entries({
      [ready]: 0,
      [delivering('Delivering')]: 1,
      [delivering('Delivering', 'dispatcher-0')]: 1,
      [`waybill_subscription_retry_blocked{${mail},instance="dispatcher-0"}`]: 0,
      [`waybill_queue_unreadable{${mail},instance="dispatcher-0"}`]: 0,
      [`waybill_subscription_oldest_message_age_seconds{${mail},instance="dispatcher-0"}`]: 1,
      [`waybill_dead_letters{${mail},instance="operator-0"}`]: 0,
      [`waybill_dead_letters_alert{${mail},instance="operator-0"}`]: 0,
      [`waybill_broker_connected{${of},broker="main",instance="operator-0"}`]: 1,
      [`waybill_broker_amqp_connected{${of},broker="main",instance="dispatcher-0"}`]: 1,
      [`waybill_broker_orphaned_messages{${of},broker="main",instance="operator-0"}`]: 0,
      [`waybill_ladder_stalled{${of},broker="main",level="5s",instance="operator-0"}`]: 0,
      [`waybill_topic_unrouted_messages{${of},topic="orders",instance="operator-0"}`]: 0,
      'waybill_resources_outdated{kind="Subscription",instance="operator-0"}': 0,
      'waybill_reconcile_errors_total{controller="topology",instance="operator-0"}': 0,
    }).map(([series, value]) => [series, always(value, minutes)]),
  ),
  [delivered()]: `0+30x${minutes}`,
  ...Object.fromEntries(['operator-0', 'dispatcher-0'].map((name) => [watch(name), hears(0, minutes + 1)])),
})

const firing = 'count by (alertname) (ALERTS{alertstate="firing"})'

/** Has Prometheus evaluate the chart's rules over a timeline; in each minute exactly the alerts fire that should. */
export const fires = (timeline: Timeline, minutes: number, wanted: readonly Firing[]): Promise<Ran> => {
  const at = (minute: number) => wanted.filter(([, from, to]) => from <= minute && minute < to)
  const minutely = Array.from({ length: minutes }, (_, minute) => ({
    expr: firing,
    eval_time: `${minute}m`,
    exp_samples: at(minute).map(([alert]) => ({ labels: `{alertname="${alert}"}`, value: 1 })),
  }))
  return evaluate(timeline, minutely)
}

/** Evaluates the rules for so many hours; promtool says what fired, if anything. */
export const quietDay = (timeline: Timeline, hours: number, everyMinutes: number): Promise<Ran> => {
  const expr = 'count_over_time(ALERTS{alertstate="firing"}[1d])'
  return evaluate(timeline, [{ expr, eval_time: `${hours}h`, exp_samples: [] }], everyMinutes)
}

export const evaluate = (timeline: Timeline, promql_expr_test: readonly object[], everyMinutes = 1): Promise<Ran> => {
  const input_series = Object.entries(timeline).map(([series, values]) => ({ series, values }))
  const tests = [{ interval: '1m', input_series, promql_expr_test }]
  // JSON is YAML.
  const suite = JSON.stringify({ rule_files: ['alerts.yaml'], evaluation_interval: `${everyMinutes}m`, tests })
  const files = { 'alerts.yaml': readFileSync(alertsFile, 'utf8'), 'suite.yaml': suite }
  return promtool(['test', 'rules', 'suite.yaml'], { files })
}
