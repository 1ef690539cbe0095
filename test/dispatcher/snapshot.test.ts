import fc from 'fast-check'
import type { Subscription } from '../../src/api/kinds/subscription.ts'
import { type DeliveryStats, newStats } from '../../src/delivery/stats.ts'
import { createReplicas } from '../../src/dispatcher/replicas/replicas.ts'
import {
  isSnapshot,
  mergeObservations,
  type Observation,
  type Snapshot,
  type WorkerState,
} from '../../src/dispatcher/replicas/snapshot.ts'
import { createObservations } from '../../src/dispatcher/status/observations.ts'
import type { Worker } from '../../src/dispatcher/workers/worker.ts'

const count = fc.integer({ min: 0, max: 1_000 })
const text = fc.constantFrom('one', 'two', 'three')
const stats: fc.Arbitrary<DeliveryStats> = fc.record({
  ...{ delivered: count, retried: count, deadLettered: count, lastSuccess: count },
  ...{ failing: count, failingSince: count, failingUntil: count },
  lastFailure: fc.option(fc.record({ time: count, reason: text, message: text }), { nil: undefined }),
})
const worker: fc.Arbitrary<WorkerState> = fc.record({
  generation: fc.integer({ min: 1, max: 3 }),
  starting: fc.boolean(),
  waiting: fc.option(
    fc.record({ reason: fc.constantFrom('NoConsumer' as const, 'BrokerUnreachable' as const), message: text }),
    { nil: undefined },
  ),
  blocked: fc.option(text, { nil: undefined }),
  gone: fc.boolean(),
})
const observation: fc.Arbitrary<Observation> = fc.record({ stats, worker: fc.option(worker, { nil: undefined }) })

const fine: WorkerState = { generation: 2, starting: false, gone: false }
const waiting: WorkerState = { ...fine, waiting: { reason: 'NoConsumer', message: 'no queue' } }
const cutOff: WorkerState = { ...fine, waiting: { reason: 'BrokerUnreachable', message: 'no broker' } }
const merged = (...workers: WorkerState[]): WorkerState | undefined =>
  mergeObservations(workers.map((each) => ({ stats: newStats(), worker: each }))).worker

describe('what several replicas see', () => {
  test('is the same in any order, and of workers in any grouping', () => {
    fc.assert(
      fc.property(observation, observation, observation, (a, b, c) => {
        expect(mergeObservations([c, a, b])).toEqual(mergeObservations([a, b, c]))
        const { worker: grouped } = mergeObservations([mergeObservations([a, b]), c])
        expect(grouped).toEqual(mergeObservations([a, b, c]).worker)
      }),
    )
  })

  test('is, of one replica alone, what that one sees', () => {
    fc.assert(fc.property(worker, (one) => expect(merged(one)).toEqual(one)))
  })

  test.each<[string, WorkerState | undefined, Partial<WorkerState>]>([
    ['it consumes if any does', merged(waiting, fine, cutOff), { waiting: undefined }],
    [
      'of those that do not, the one that reaches the broker tells why',
      merged(cutOff, waiting),
      { waiting: waiting.waiting },
    ],
    ['it is blocked if any is', merged(fine, { ...fine, blocked: 'full' }), { blocked: 'full' }],
    [
      'it starts while all start',
      merged({ ...waiting, starting: true }, { ...cutOff, starting: true }),
      { starting: true },
    ],
    [
      'one that only starts does not speak for one that is past it',
      merged({ ...waiting, starting: true }, cutOff),
      { starting: false, waiting: cutOff.waiting },
    ],
    ['it is gone if any was told so', merged(fine, { ...fine, gone: true }), { gone: true, generation: 2 }],
    [
      'what an older generation was told is over',
      merged({ ...fine, generation: 3 }, { ...fine, gone: true, blocked: 'full' }),
      { gone: false, generation: 3, blocked: undefined },
    ],
  ])('%s', (_, found, expected) => {
    expect(found).toMatchObject(expected)
  })
})

describe('one replica hears another', () => {
  const subscriptionOf = (name: string, uid: string) =>
    ({ kind: 'Subscription', metadata: { namespace: 'shop', name, uid } }) as unknown as Subscription
  const laneOf = (subscription: Subscription, state: WorkerState): Worker => ({
    route: { id: `Subscription/shop/${subscription.metadata.name}`, subscription } as Worker['route'],
    state: () => state,
    stop: async () => {},
  })
  const none = () => []
  /** As it comes over the wire. */
  const sent = (snapshot: Snapshot | undefined): Snapshot | undefined => {
    if (snapshot === undefined) return undefined
    const received: unknown = JSON.parse(JSON.stringify(snapshot))
    if (!isSnapshot(received)) throw new Error(`${JSON.stringify(received)} is no snapshot`)
    return received
  }
  const step = fc.record({
    name: fc.constantFrom('a', 'b', 'c'),
    does: fc.constantFrom('deliver', 'rest', 'drop', 'forget', 'recreate', 'hear', 'lose'),
    state: worker,
  })

  test('whatever happens in between, in the end it knows what that one sees, and then there is nothing to tell', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
        const observed = createObservations('other')
        const replicas = createReplicas('self')
        const uids = new Map<string, number>()
        const used = new Set<string>()
        const current = (name: string) => subscriptionOf(name, `${name}-${uids.get(name) ?? 0}`)
        const ask = (isLost = false): Snapshot | undefined => {
          const since = replicas.since('other')
          const answer = sent(observed.snapshot(since, none))
          if (!isLost) replicas.received('other', answer, Date.now())
          return answer
        }
        for (const { name, does, state } of steps) {
          const subscription = current(name)
          used.add(subscription.metadata.uid)
          if (does === 'deliver') {
            observed.statsOf(subscription).delivered += 1
            observed.changed(laneOf(subscription, { ...state, starting: false }))
          }
          if (does === 'rest') observed.idle({ subscription, reason: 'Suspended', message: 'm' })
          if (does === 'drop') observed.dropped(subscription)
          if (does === 'forget') observed.forget('shop', name)
          if (does === 'recreate') uids.set(name, (uids.get(name) ?? 0) + 1)
          if (does === 'hear') ask()
          if (does === 'lose') ask(true)
        }
        ask()
        // What that one no longer has makes it ask for everything once more.
        ask()
        const all = sent(observed.snapshot(0, none)) as Snapshot
        const seen = new Map(all.observations.map(({ uid, ...one }) => [uid, [one]]))
        for (const uid of used) expect(replicas.observations(uid)).toEqual(seen.get(uid) ?? [])
        if (all.total > 0) expect(ask()).toBeUndefined()
      }),
    )
  })

  test('that one starts: the end of the start is heard, though nothing else happened', () => {
    const observed = createObservations('other')
    const subscription = subscriptionOf('a', 'a')
    let starting = true
    observed.changed({ ...laneOf(subscription, fine), state: () => ({ ...fine, starting }) })
    const { version } = observed.snapshot(0, none) as Snapshot
    starting = false
    expect(observed.snapshot(version, none)?.observations).toMatchObject([{ uid: 'a', worker: { starting: false } }])
  })

  test('one that leaves tells its counts alone', () => {
    const observed = createObservations('other')
    const subscription = subscriptionOf('a', 'a')
    observed.statsOf(subscription).delivered = 3
    observed.changed(laneOf(subscription, fine))
    const { version } = observed.snapshot(0, none) as Snapshot
    observed.leave()
    const [told] = sent(observed.snapshot(version, none))?.observations ?? []
    expect([told?.stats.delivered, told?.worker]).toEqual([3, undefined])
  })

  test('one that falls silent delivers no more, what it counted stays, and it may come back', () => {
    const replicas = createReplicas('self')
    const snapshot: Snapshot = {
      replica: 'b',
      version: 1,
      from: 0,
      total: 1,
      leaving: false,
      observations: [{ uid: 'a', stats: newStats(), worker: fine }],
    }
    expect(replicas.received('b', snapshot, 0)).toBe(true)
    expect(replicas.giveUp(10_000)).toEqual([])
    replicas.news()
    expect([replicas.giveUp(10_001), replicas.count(), [...replicas.news()]]).toEqual([['b'], 0, ['a']])
    expect(replicas.observations('a')).toEqual([{ stats: newStats() }])
    expect(replicas.since('b')).toBe(0)
    expect(replicas.received('b', snapshot, 20_000)).toBe(true)
    expect([replicas.count(), replicas.observations('a')]).toEqual([1, [{ stats: newStats(), worker: fine }]])
  })

  test('of one that is gone a newcomer hears from who heard it last, and what it counted counts once', () => {
    const counting = (delivered: number): DeliveryStats => ({ ...newStats(), delivered })
    const of = (replica: string, version: number, delivered: number, gone?: Snapshot['gone']): Snapshot => ({
      ...{
        replica,
        version,
        from: 0,
        total: 1,
        leaving: false,
        observations: [{ uid: 'a', stats: counting(delivered) }],
      },
      gone,
    })
    const sum = (replicas: ReturnType<typeof createReplicas>) =>
      mergeObservations(replicas.observations('a')).stats.delivered
    const [old, newcomer] = [createReplicas('old'), createReplicas('newcomer')]
    old.received('b', of('b', 7, 5), 0)
    expect(old.gone()).toEqual([])
    old.giveUp(10_001)
    newcomer.received('old', of('old', 1, 1, old.gone()), 11_000)
    expect([sum(newcomer), newcomer.count()]).toEqual([6, 1])
    newcomer.received(
      'old',
      of('old', 2, 1, [{ replica: 'b', version: 6, observations: [{ uid: 'a', stats: counting(4) }] }]),
      12_000,
    )
    expect(sum(newcomer)).toBe(6)
    newcomer.received(
      'old',
      of('old', 3, 1, [{ replica: 'b', version: 8, observations: [{ uid: 'a', stats: counting(9) }] }]),
      13_000,
    )
    expect(sum(newcomer)).toBe(10)
    // It was only silent; and of itself it knows better.
    newcomer.received(
      'b',
      of('b', 9, 12, [{ replica: 'newcomer', version: 1, observations: [{ uid: 'a', stats: counting(9) }] }]),
      14_000,
    )
    expect(sum(newcomer)).toBe(13)
    newcomer.received('old', of('old', 4, 1, old.gone()), 15_000)
    expect(sum(newcomer)).toBe(13)
  })

  test('one that leaves knows when all that stay have heard the last of it', () => {
    const [observed, replicas] = [createObservations('leaving'), createReplicas('leaving')]
    const from = (replica: string, leaving: boolean): Snapshot => ({
      ...{ replica, version: 1, from: 0, total: 0, leaving, observations: [] },
    })
    observed.changed(laneOf(subscriptionOf('a', 'a'), fine))
    expect(replicas.allAcknowledged(observed.version())).toBe(true)
    replicas.received('staying', from('staying', false), 0)
    replicas.received('leaving-too', from('leaving-too', true), 0)
    observed.leave()
    replicas.acknowledged('staying', observed.acknowledgedVersion('leaving.1'))
    replicas.acknowledged('stranger', observed.acknowledgedVersion(`leaving.${observed.version()}`))
    expect(replicas.allAcknowledged(observed.version())).toBe(false)
    for (const words of [null, '', 'leaving', 'leaving.x', 'leaving.-1', 'leaving.999', `other.${observed.version()}`])
      expect(observed.acknowledgedVersion(words)).toBe(0)
    replicas.acknowledged('staying', observed.acknowledgedVersion(`leaving.${observed.version()}`))
    expect(replicas.allAcknowledged(observed.version())).toBe(true)
  })

  test('one that gave up another tells everything once more', () => {
    const observed = createObservations('other')
    observed.changed(laneOf(subscriptionOf('a', 'a'), fine))
    const { version } = observed.snapshot(0, none) as Snapshot
    observed.resyncAll()
    const gone = [{ replica: 'b', version: 1, observations: [] }]
    const told = observed.snapshot(version, () => gone)
    expect(told).toMatchObject({ from: 0, total: 1, gone })
    expect(observed.snapshot(told?.version ?? 0, () => gone)).toBeUndefined()
  })

  test('a clock that is ahead makes no success of the future', () => {
    const replicas = createReplicas('self')
    const ahead = { ...newStats(), lastSuccess: 5_000, lastFailure: { time: 6_000, reason: 'r', message: 'm' } }
    replicas.received(
      'b',
      { replica: 'b', version: 1, from: 0, total: 1, leaving: false, observations: [{ uid: 'a', stats: ahead }] },
      1_000,
    )
    expect(replicas.observations('a')[0]?.stats).toMatchObject({ lastSuccess: 1_000, lastFailure: { time: 1_000 } })
  })
})

test.each([
  null,
  [],
  'snapshot',
  {},
  { replica: 'a', at: 1, from: 0, total: 1 },
  { replica: 'a', at: '1', from: 0, total: 0, leaving: false, observations: [] },
  { replica: 'a', at: -1, from: 0, total: 0, leaving: false, observations: [] },
  { replica: 'a', at: 1, from: 0, total: 1, leaving: false, observations: [{}] },
  { replica: 'a', at: 1, from: 0, total: 0, leaving: false, observations: [], gone: [{ replica: 'b' }] },
  { replica: 'a', at: 1, from: 0, total: 1, leaving: false, observations: [{ uid: 1, stats: newStats() }] },
  {
    replica: 'a',
    at: 1,
    from: 0,
    total: 1,
    leaving: false,
    observations: [{ uid: 'a', stats: { ...newStats(), delivered: 'many' } }],
  },
  {
    replica: 'a',
    at: 1,
    from: 0,
    total: 1,
    observations: [{ uid: 'a', stats: newStats(), worker: { ...fine, waiting: 'x' } }],
  },
])('%j is no snapshot', (value) => {
  expect(isSnapshot(value)).toBe(false)
})

test('what a newer version has more to say is let pass', () => {
  const observations = [{ uid: 'a', stats: { ...newStats(), more: 1 }, worker: { ...fine, more: {} } }]
  expect(isSnapshot({ replica: 'a', at: 1, from: 0, total: 1, leaving: false, observations, more: [] })).toBe(true)
})
