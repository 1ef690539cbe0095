import {
  always,
  delivered,
  delivering,
  healthy,
  hears,
  mail,
  pod,
  pods,
  ready,
  type Timeline,
  watch,
} from './timelines.ts'

/** In minutes. */
const day = 1_440
const lifetime = 120

/** Samples of a pod that was started so late, for so many minutes; it begins with what is said only then. */
const life = (start: number, minutes: number, begins: string, then: string): string =>
  `${start === 0 ? '' : `_x${start} `}${begins} ${then}x${minutes - 3} stale`

/** The pod of that place from `start` on. It leads from its second minute on, or never. */
const lived = (place: string, start: number, minutes: number, leads: boolean): Timeline => {
  const component = place.replace(/-.*/, '')
  const name = `${place}-${start}`
  const own: Timeline =
    component === 'operator'
      ? {
          [ready.replace('operator-0', name)]: life(start, minutes, '3', '0'),
          [delivering('Delivering', name)]: life(start, minutes, '1', '1'),
          [`waybill_resources_outdated{kind="Subscription",instance="${name}"}`]: life(start, minutes, '2', '0'),
          [`waybill_broker_connected{namespace="shop",broker="main",instance="${name}"}`]: life(
            start,
            minutes,
            '0',
            '1',
          ),
        }
      : {
          [delivered(name)]: life(start, minutes, '0', '30+30'),
          [`waybill_broker_amqp_connected{namespace="shop",broker="main",instance="${name}"}`]: life(
            start,
            minutes,
            '0',
            '1',
          ),
          [`waybill_subscription_retry_blocked{${mail},instance="${name}"}`]: life(start, minutes, '0', '0'),
        }
  return {
    [`waybill_build_info{${pod(name)},component="${component}",version="1"}`]: life(start, minutes, '1', '1'),
    [watch(name)]: life(start, minutes, `${start * 60}`, `${start * 60 + 60}+60`),
    [`waybill_leading{${pod(name)}}`]: life(start, minutes, '0', leads ? '1' : '0'),
    ...own,
  }
}

/** One pod of each kind, which another one replaces every two hours, after a minute without any. */
const restarted = (place: string): Timeline =>
  Object.assign({}, ...Array.from({ length: 4 }, (_, at) => lived(place, at * lifetime, lifetime, true)))

const messageAnHour = '0x54 1 0x3 '.repeat(24)
/** The same pods in another installation. */
const elsewhere = (timeline: Timeline): Timeline =>
  Object.fromEntries(
    Object.entries(timeline).map(([series, samples]) => [series.replace('="waybill"', '="other"'), samples]),
  )

/** For so many hours the rules are evaluated every so many minutes: each time takes 2 ms. */
export type QuietDay = {
  readonly what: string
  readonly hours: number
  readonly every: number
  readonly series: Timeline
}

export const quietDays: readonly QuietDay[] = [
  {
    what: 'the only pods are replaced every two hours, and more dispatchers come and go',
    hours: 8,
    every: 1,
    series: {
      ...restarted('operator-a'),
      ...restarted('dispatcher-a'),
      ...lived('dispatcher-b', 100, 200, false),
      ...lived('dispatcher-c', 130, 160, false),
    },
  },
  {
    what: 'nothing is published; one subscription is suspended, and its messages wait',
    hours: 24,
    every: 5,
    series: {
      ...healthy(day),
      [delivered()]: always(1_000, day),
      [ready.replace('mail', 'paused')]: `0+5x${day}`,
      [delivering('Suspended').replace('mail', 'paused')]: always(0, day),
    },
  },
  {
    what: 'one message an hour is delivered',
    hours: 24,
    every: 5,
    series: {
      ...healthy(day),
      [delivered()]: Array.from({ length: 24 }, (_, hour) => `${hour}x59`).join(' '),
      [ready]: messageAnHour,
      [`waybill_subscription_delayed_messages{${mail},instance="dispatcher-0"}`]: messageAnHour,
    },
  },
  {
    what: 'an installation has its dispatchers scraped, another one its operators, and a third one is one process',
    hours: 24,
    every: 5,
    series: {
      ...pods(['dispatcher-0', 'dispatcher-1'], day),
      ...elsewhere(pods(['operator-0', 'operator-1'], day)),
      'waybill_leading{job="waybill",instance="a"}': always(1, day),
      'waybill_build_info{job="waybill",instance="a",component="operator",version="1"}': always(1, day),
      'waybill_build_info{job="waybill",instance="a",component="dispatcher",version="1"}': always(1, day),
    },
  },
  {
    what: 'the API server is away for twelve minutes, and a namespace is not watched any more',
    hours: 4,
    every: 1,
    series: {
      ...healthy(240),
      ...Object.fromEntries(
        ['operator-0', 'operator-1', 'dispatcher-0'].map((name) => [
          watch(name),
          `${hears(0, 60)} 3540x11 ${hears(72, 168)}`,
        ]),
      ),
      [watch('operator-0').replace('"shop"', '"ended"')]: `${hears(0, 100)} stale`,
    },
  },
]
