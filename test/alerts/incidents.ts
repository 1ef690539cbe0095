import {
  delivered,
  delivering,
  type Firing,
  hears,
  mail,
  pod,
  ready,
  stretches,
  type Timeline,
  watch,
} from './timelines.ts'

/** What is different from a healthy run, in so many minutes, and which alerts fire when. */
export type Incident = {
  readonly what: string
  readonly minutes: number
  readonly series: Timeline
  readonly firing: readonly Firing[]
}

const broker = 'namespace="shop",broker="main"'
/** All is well for 10 minutes, then `value` for 50, then well again. */
const hour = (well: number, value: number | undefined): string => stretches([well, 10], [value, 50], [well, 60])
/** A reason of Delivering in place of `Delivering` for as long. */
const reasonFor50 = (reason: string, instance = 'operator-0'): Timeline => ({
  [delivering('Delivering', instance)]: hour(1, undefined),
  [delivering(reason, instance)]: `_x10 ${stretches([0, 50], [undefined, 60])}`,
})
const gone = (name: string): Timeline => ({
  [`waybill_build_info{${pod(name)},component="${name.split('-')[0]}",version="1"}`]: hour(1, undefined),
  [`waybill_leading{${pod(name)}}`]: hour(name.endsWith('-0') ? 1 : 0, undefined),
})
/** 30 messages a minute, but for 50 minutes. */
const nothingDelivered = { [delivered()]: `0+30x9 300x49 300+30x60` }
const grows = `0x9 0+30x49 0x60`

const subscriberDown: Incident = {
  what: 'a subscriber is down for 50 minutes',
  minutes: 120,
  series: {
    ...reasonFor50('AllAttemptsFailing'),
    ...reasonFor50('AllAttemptsFailing', 'dispatcher-0'),
    ...nothingDelivered,
  },
  firing: [['WaybillAllDeliveriesFail', 20, 60]],
}

/** By the default schedule it is tried after 5 s, 30 s, 2 min, 10 min, 1 h and so on: no rate tells that. */
const oneAnHourFails: Incident = {
  what: 'one message an hour comes, and all fail for five hours',
  minutes: 400,
  series: {
    [delivering('Delivering')]: stretches([1, 10], [undefined, 300], [1, 90]),
    [delivering('Delivering', 'dispatcher-0')]: stretches([1, 10], [undefined, 300], [1, 90]),
    [delivering('AllAttemptsFailing')]: `_x10 ${stretches([0, 300], [undefined, 90])}`,
    [delivering('AllAttemptsFailing', 'dispatcher-0')]: `_x10 ${stretches([0, 300], [undefined, 90])}`,
    [delivered()]: '5x309 6x90',
  },
  firing: [['WaybillAllDeliveriesFail', 20, 310]],
}

const noDispatcher: Incident = {
  what: 'no dispatcher runs for 50 minutes',
  minutes: 120,
  series: {
    ...gone('dispatcher-0'),
    ...gone('dispatcher-1'),
    ...reasonFor50('NoDispatcher'),
    [delivering('Delivering', 'dispatcher-0')]: hour(1, undefined),
    [delivered()]: `0+30x9 stale _x49 0+30x60`,
    [ready]: grows,
  },
  firing: [
    ['WaybillDispatcherMissing', 15, 60],
    ['WaybillStatusesStale', 20, 60],
    ['WaybillBacklogNotDelivered', 39, 60],
  ],
}

const hangs: Incident = {
  what: 'a subscriber answers nothing for 50 minutes, and its timeout is longer',
  minutes: 120,
  series: { ...nothingDelivered, [ready]: grows },
  firing: [['WaybillBacklogNotDelivered', 40, 60]],
}

const flag = (what: string, series: string, alert: string, after: number, well = 0, value = 1): Incident => ({
  ...{ what, minutes: 120, series: { [series]: hour(well, value) }, firing: [[alert, 10 + after, 60]] },
})

export const incidents: readonly Incident[] = [
  subscriberDown,
  oneAnHourFails,
  noDispatcher,
  {
    what: 'no operator runs for 50 minutes',
    minutes: 120,
    series: { ...gone('operator-0'), ...gone('operator-1') },
    firing: [['WaybillOperatorMissing', 15, 60]],
  },
  flag('no dispatcher gets the Lease', `waybill_leading{${pod('dispatcher-0')}}`, 'WaybillNobodyLeads', 2, 1, 0),
  hangs,
  {
    what: 'the Service of a subscriber is gone',
    minutes: 120,
    series: { ...reasonFor50('SubscriberNotFound'), ...reasonFor50('SubscriberNotFound', 'dispatcher-0') },
    firing: [['WaybillCannotDeliver', 25, 60]],
  },
  {
    what: 'a subscriber has answered 410, and nobody looks',
    minutes: 120,
    series: { ...reasonFor50('Gone'), ...reasonFor50('Gone', 'dispatcher-0') },
    firing: [['WaybillCannotDeliver', 25, 60]],
  },
  flag(
    'messages with timestamps wait for two hours',
    `waybill_subscription_oldest_message_age_seconds{${mail},instance="dispatcher-0"}`,
    'WaybillMessagesWaitLong',
    15,
    1,
    7200,
  ),
  {
    what: 'there are many more messages without timestamps than are delivered',
    minutes: 120,
    series: { [ready]: hour(0, 5_000) },
    firing: [['WaybillMessagesWaitLong', 25, 60]],
  },
  flag(
    'a dead-letter queue is full',
    `waybill_subscription_retry_blocked{${mail},instance="dispatcher-0"}`,
    'WaybillCopiesNotConfirmed',
    5,
  ),
  {
    what: 'messages are dead-lettered, below what the policy allows at first',
    minutes: 120,
    series: {
      [`waybill_dead_letters{${mail},instance="operator-0"}`]: stretches([0, 5], [3, 5], [10, 50], [0, 60]),
      [`waybill_dead_letters_alert{${mail},instance="operator-0"}`]: hour(0, 1),
    },
    firing: [['WaybillDeadLetters', 11, 60]],
  },
  flag('a broker is away', `waybill_broker_connected{${broker},instance="operator-0"}`, 'WaybillBrokerAway', 2, 1, 0),
  flag(
    'a broker takes no messages',
    `waybill_broker_amqp_connected{${broker},instance="dispatcher-0"}`,
    'WaybillBrokerAway',
    2,
    1,
    0,
  ),
  flag(
    'a delay stands still',
    `waybill_ladder_stalled{${broker},level="5s",instance="operator-0"}`,
    'WaybillLadderStalled',
    1,
  ),
  flag(
    'a message ends connections',
    `waybill_queue_unreadable{${mail},instance="dispatcher-0"}`,
    'WaybillQueueUnreadable',
    1,
  ),
  flag(
    'a queue is deleted while its messages are delayed',
    `waybill_broker_orphaned_messages{${broker},instance="operator-0"}`,
    'WaybillOrphans',
    5,
  ),
  flag(
    'a routing key is misspelt',
    'waybill_topic_unrouted_messages{namespace="shop",topic="orders",instance="operator-0"}',
    'WaybillUnroutedEvents',
    5,
  ),
  flag(
    'a change is not taken up',
    'waybill_resources_outdated{kind="Subscription",instance="operator-0"}',
    'WaybillStatusesStale',
    10,
  ),
  {
    what: 'every reconcile fails',
    minutes: 120,
    series: { 'waybill_reconcile_errors_total{controller="topology",instance="operator-0"}': '0x9 1+1x49 50x60' },
    // It looks back for 15 minutes.
    firing: [['WaybillReconcileErrors', 25, 74]],
  },
  {
    what: 'one watch of the operator receives nothing for 50 minutes',
    minutes: 120,
    series: {
      [watch('operator-0', 'Topic')]: `${hears(0, 10)} 540x49 ${hears(60, 60)}`,
      [watch('operator-1')]: hears(0, 120),
    },
    // The last was in minute 9.
    firing: [['WaybillWatchSilent', 25, 60]],
  },
  {
    what: 'a watch of a dispatcher that was just started never receives anything',
    minutes: 60,
    series: { [watch('dispatcher-2')]: '_x20 1200x39' },
    firing: [['WaybillWatchSilent', 36, 60]],
  },
]
