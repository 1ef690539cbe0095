import type { Subscription } from '../../src/api/kinds/subscription.ts'
import { type DeliveryStats, newStats } from '../../src/delivery/stats.ts'
import { mergeObservations } from '../../src/dispatcher/replicas/merge.ts'
import { count, flag, list, object, optional, type Reader, text } from '../../src/dispatcher/replicas/reading.ts'
import { createReplicas } from '../../src/dispatcher/replicas/replicas.ts'
import { readSnapshot, type Snapshot } from '../../src/dispatcher/replicas/snapshot.ts'
import { createObservations } from '../../src/dispatcher/status/observations.ts'

/** As the first version sends it. Do not change this text: replicas of that version run beside others in an upgrade. */
const first = `{
  "replica": "0c9e4b5e-51d2-4a3d-9d4c-2f1f6a1f8a11", "version": 42, "from": 0, "total": 3, "leaving": false,
  "observations": [
    {
      "uid": "a",
      "stats": {
        "delivered": 7, "retried": 2, "deadLettered": 1, "failing": 1, "failingSince": 2000, "failingUntil": 7000,
        "lastSuccess": 1000, "lastFailure": { "time": 2000, "statusCode": 503, "reason": "HTTP503", "message": "busy" }
      },
      "worker": { "generation": 3, "starting": false, "blocked": "queue full", "gone": false }
    },
    {
      "uid": "b",
      "stats": {
        "delivered": 0, "retried": 0, "deadLettered": 0, "failing": 0, "failingSince": 0, "failingUntil": 0,
        "lastSuccess": 0
      },
      "worker": {
        "generation": 1, "starting": true, "waiting": { "reason": "BrokerUnreachable", "message": "refused" },
        "gone": false
      }
    },
    {
      "uid": "c",
      "stats": {
        "delivered": 1, "retried": 0, "deadLettered": 0, "failing": 0, "failingSince": 0, "failingUntil": 0,
        "lastSuccess": 500
      }
    }
  ],
  "gone": [
    {
      "replica": "7d1c", "version": 9,
      "observations": [
        {
          "uid": "a",
          "stats": {
            "delivered": 5, "retried": 0, "deadLettered": 0, "failing": 0, "failingSince": 0, "failingUntil": 0,
            "lastSuccess": 400
          }
        }
      ]
    }
  ]
}`

const strictly = (value: unknown): Snapshot =>
  readSnapshot(value, (error) => {
    throw error
  })

/** The same value with members that this version does not know in every object. */
const grown = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(grown)
  if (typeof value !== 'object' || value === null) return value
  const members = Object.entries(value).map(([name, member]) => [name, grown(member)])
  return { addedText: 'x', addedList: [1], addedObject: { deep: true }, ...Object.fromEntries(members) }
}

const merged = (snapshot: Snapshot) => {
  const replicas = createReplicas('self')
  replicas.received(snapshot.replica, snapshot, 10_000)
  return ['a', 'b', 'c'].map((uid) => mergeObservations(replicas.observations(uid)))
}

/** What this version reads of it: until when failures count is not asked any more. */
const known: unknown = JSON.parse(first, (name, value) => (name === 'failingUntil' ? undefined : value))

test('a snapshot as the first version sends it is read in full', () => {
  expect(strictly(JSON.parse(first))).toEqual(known)
  const [a] = merged(strictly(JSON.parse(first)))
  expect(a).toMatchObject({ stats: { delivered: 12, retried: 2, failing: 1 }, worker: { blocked: 'queue full' } })
})

test('a snapshot of a newer version, with more members in every object, is merged as one of this version', () => {
  const newer = strictly(grown(JSON.parse(first)))
  expect(newer).toEqual(known)
  expect(merged(newer)).toEqual(merged(strictly(JSON.parse(first))))
})

test('a reason of a newer version for a worker that does not consume is read as NoConsumer, with its message', () => {
  const newer = JSON.parse(first)
  newer.observations[1].worker.waiting = { reason: 'CircuitOpen', message: 'too many failures' }
  const { observations } = strictly(newer)
  expect(observations[1]?.worker?.waiting).toEqual({ reason: 'NoConsumer', message: 'too many failures' })
})

test('a newer version that adds members reads a snapshot of the first version, with a default for each', () => {
  type Newer = {
    readonly replica: string
    readonly paused: boolean
    readonly observations: readonly {
      readonly uid: string
      readonly stats: { readonly delivered: number; readonly postponed: number }
      readonly worker: { readonly generation: number; readonly flow: { readonly open: boolean } } | undefined
    }[]
  }
  const flow = object<{ readonly open: boolean }>({ open: optional(flag, true) })
  const newer: Reader<Newer> = object<Newer>({
    replica: text,
    paused: optional(flag, false),
    observations: list(
      object<Newer['observations'][number]>({
        uid: text,
        stats: object<Newer['observations'][number]['stats']>({ delivered: count, postponed: optional(count, 0) }),
        worker: optional(
          object<NonNullable<Newer['observations'][number]['worker']>>({
            generation: count,
            flow: optional(flow, { open: true }),
          }),
        ),
      }),
    ),
  })
  expect(newer(JSON.parse(first))).toEqual({
    replica: '0c9e4b5e-51d2-4a3d-9d4c-2f1f6a1f8a11',
    paused: false,
    observations: [
      { uid: 'a', stats: { delivered: 7, postponed: 0 }, worker: { generation: 3, flow: { open: true } } },
      { uid: 'b', stats: { delivered: 0, postponed: 0 }, worker: { generation: 1, flow: { open: true } } },
      { uid: 'c', stats: { delivered: 1, postponed: 0 } },
    ],
  })
})

describe('a snapshot with an observation that cannot be read', () => {
  const read = (value: unknown) => {
    const faults: string[] = []
    const snapshot = readSnapshot(value, ({ message }) => faults.push(message))
    return { snapshot, faults }
  }
  const stats = (delivered: number): DeliveryStats => ({ ...newStats(), delivered })
  const base = { replica: 'b', version: 1, from: 0, total: 2, leaving: false }

  test.each<[string, object, string]>([
    [
      'counts of another type',
      { stats: { ...stats(1), delivered: 'many' } },
      'stats.delivered is not a number, not negative',
    ],
    ['no counts', {}, 'stats is not an object'],
    ['a negative time', { stats: { ...stats(1), lastSuccess: -1 } }, 'stats.lastSuccess is not a number, not negative'],
    ['a worker of another type', { stats: stats(1), worker: 'fine' }, 'worker is not an object'],
    [
      'a failure without a reason',
      { stats: { ...stats(1), lastFailure: { time: 1, message: 'm' } } },
      'stats.lastFailure.reason is not a text',
    ],
  ])('the other observations of a snapshot still count if one has %s', (_, broken, fault) => {
    const sent = {
      ...base,
      observations: [
        { uid: 'a', ...broken },
        { uid: 'b', stats: stats(5) },
      ],
    }
    const { snapshot, faults } = read(JSON.parse(JSON.stringify(sent)))
    expect(faults).toEqual([fault])
    const replicas = createReplicas('self')
    replicas.received('b', snapshot, 0)
    expect(replicas.observations('b')).toEqual([{ stats: stats(5) }])
    expect(replicas.observations('a')).toEqual([{ stats: newStats() }])
    // It is known which subscription it was of, so that changes are enough from now on.
    expect(replicas.since('b')).toBe(1)
  })
})

test.each<[unknown, string]>([
  [null, 'The value is not an object'],
  [[], 'replica is not a text'],
  ['snapshot', 'The value is not an object'],
  [{}, 'replica is not a text'],
  [{ replica: 'a', version: 1, from: 0, total: 1 }, 'leaving is not true or false'],
  [
    { replica: 'a', version: '1', from: 0, total: 0, leaving: false, observations: [] },
    'version is not a number, not negative',
  ],
  [
    { replica: 'a', version: -1, from: 0, total: 0, leaving: false, observations: [] },
    'version is not a number, not negative',
  ],
  [
    { replica: 'a', version: 1, from: 0, total: 1, leaving: false, observations: [{}] },
    'observations[0].uid is not a text',
  ],
  [
    { replica: 'a', version: 1, from: 0, total: 1, leaving: false, observations: [{ uid: 1, stats: newStats() }] },
    'observations[0].uid is not a text',
  ],
  [
    { replica: 'a', version: 1, from: 0, total: 0, leaving: false, observations: [], gone: [{ replica: 'b' }] },
    'gone[0].version is not a number, not negative',
  ],
])('%j is not a snapshot, and the error says why', (value, message) => {
  expect(() => readSnapshot(value, () => {})).toThrow(message)
})

test('replicas of the first version get what they cannot do without', () => {
  const observations = createObservations('self')
  const subscription = { metadata: { namespace: 'shop', name: 'billing', uid: 'a', generation: 1 } } as Subscription
  const stats = observations.statsOf(subscription)
  Object.assign(stats, { failing: 1, failingSince: 1_000 })
  const sent = observations.snapshot(0, () => [])
  expect(sent?.observations[0]?.stats).toMatchObject({ failing: 1, failingSince: 1_000, failingUntil: 3_601_000 })
})
