import fc from 'fast-check'
import type { Subscription } from '../../src/api/kinds/subscription.ts'
import { type DeliveryStats, newStats } from '../../src/delivery/stats.ts'
import { mergeObservations } from '../../src/dispatcher/replicas/merge.ts'
import { createReplicas } from '../../src/dispatcher/replicas/replicas.ts'
import {
  type Observation,
  readSnapshot,
  type Snapshot,
  type WorkerState,
} from '../../src/dispatcher/replicas/snapshot.ts'
import { createObservations } from '../../src/dispatcher/status/observations.ts'
import type { Worker } from '../../src/dispatcher/workers/worker.ts'

const count = fc.integer({ min: 0, max: 1_000 })
const text = fc.constantFrom('one', 'two', 'three')
const stats: fc.Arbitrary<DeliveryStats> = fc.record({
  ...{ delivered: count, retried: count, deadLettered: count, lastSuccess: count },
  ...{ failing: count, failingSince: count },
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

describe('the merged observations of several replicas', () => {
  test('merged observations are the same in any order of replicas, and their workers in any grouping', () => {
    fc.assert(
      fc.property(observation, observation, observation, (a, b, c) => {
        expect(mergeObservations([c, a, b])).toEqual(mergeObservations([a, b, c]))
        const { worker: grouped } = mergeObservations([mergeObservations([a, b]), c])
        expect(grouped).toEqual(mergeObservations([a, b, c]).worker)
      }),
    )
  })

  test('the merged observation of one replica alone is what that replica observes', () => {
    fc.assert(fc.property(worker, (one) => expect(merged(one)).toEqual(one)))
  })

  test.each<[string, WorkerState | undefined, Partial<WorkerState>]>([
    ['consumes if any replica does', merged(waiting, fine, cutOff), { waiting: undefined }],
    [
      'gives the reason of a replica that reaches the broker, if none consumes',
      merged(cutOff, waiting),
      { waiting: waiting.waiting },
    ],
    ['is blocked if any replica is', merged(fine, { ...fine, blocked: 'full' }), { blocked: 'full' }],
    [
      'is starting while all replicas are',
      merged({ ...waiting, starting: true }, { ...cutOff, starting: true }),
      { starting: true },
    ],
    [
      'ignores replicas that are starting, if any is not',
      merged({ ...waiting, starting: true }, cutOff),
      { starting: false, waiting: cutOff.waiting },
    ],
    ['is gone if any replica received 410', merged(fine, { ...fine, gone: true }), { gone: true, generation: 2 }],
    [
      'ignores workers of an older generation',
      merged({ ...fine, generation: 3 }, { ...fine, gone: true, blocked: 'full' }),
      { gone: false, generation: 3, blocked: undefined },
    ],
  ])('the merged worker of several replicas %s', (_, found, expected) => {
    expect(found).toMatchObject(expected)
  })
})

describe('a replica that polls another', () => {
  const subscriptionOf = (name: string, uid: string) =>
    ({ kind: 'Subscription', metadata: { namespace: 'shop', name, uid } }) as unknown as Subscription
  const workerOf = (subscription: Subscription, state: WorkerState): Worker => ({
    route: { id: `Subscription/shop/${subscription.metadata.name}`, subscription } as Worker['route'],
    state: () => state,
    stop: async () => {},
  })
  const none = () => []
  /** As it comes over the wire. */
  const sent = (snapshot: Snapshot | undefined): Snapshot | undefined => {
    if (snapshot === undefined) return undefined
    return readSnapshot(JSON.parse(JSON.stringify(snapshot)), (error) => {
      throw error
    })
  }
  const step = fc.record({
    name: fc.constantFrom('a', 'b', 'c'),
    does: fc.constantFrom('deliver', 'rest', 'drop', 'forget', 'recreate', 'poll', 'lose'),
    state: worker,
  })

  test('a polling replica knows in the end what the other observes, whatever happens, and then receives no changes', () => {
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
            observed.changed(workerOf(subscription, { ...state, starting: false }))
          }
          if (does === 'rest') observed.idle({ subscription, reason: 'Suspended', message: 'm' })
          if (does === 'drop') observed.dropped(subscription)
          if (does === 'forget') observed.forget('shop', name)
          if (does === 'recreate') uids.set(name, (uids.get(name) ?? 0) + 1)
          if (does === 'poll') ask()
          if (does === 'lose') ask(true)
        }
        ask()
        // What that one no longer observes makes it ask for a full snapshot.
        ask()
        const all = sent(observed.snapshot(0, none)) as Snapshot
        const seen = new Map(all.observations.map(({ uid, ...one }) => [uid, [one]]))
        for (const uid of used) expect(replicas.observations(uid)).toEqual(seen.get(uid) ?? [])
        if (all.total > 0) expect(ask()).toBeUndefined()
      }),
    )
  })

  test('a polling replica receives the end of the start of a worker, even if nothing else has changed', () => {
    const observed = createObservations('other')
    const subscription = subscriptionOf('a', 'a')
    let starting = true
    observed.changed({ ...workerOf(subscription, fine), state: () => ({ ...fine, starting }) })
    const { version } = observed.snapshot(0, none) as Snapshot
    starting = false
    expect(observed.snapshot(version, none)?.observations).toMatchObject([{ uid: 'a', worker: { starting: false } }])
  })

  test('a polling replica receives counts but no workers from a replica that is leaving', () => {
    const observed = createObservations('other')
    const subscription = subscriptionOf('a', 'a')
    observed.statsOf(subscription).delivered = 3
    observed.changed(workerOf(subscription, fine))
    const { version } = observed.snapshot(0, none) as Snapshot
    observed.leave()
    const [received] = sent(observed.snapshot(version, none))?.observations ?? []
    expect([received?.stats.delivered, received?.worker]).toEqual([3, undefined])
  })

  test('a polling replica keeps the counts, not the workers, of one that it lost contact with, which may come back', () => {
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

  test('a polling replica does not give up one that keeps answering, even if nothing changes there', () => {
    const replicas = createReplicas('self')
    const snapshot: Snapshot = { replica: 'b', version: 1, from: 0, total: 0, leaving: false, observations: [] }
    replicas.received('b', snapshot, 0)
    expect(replicas.received('b', undefined, 9_000)).toBe(false)
    expect([replicas.giveUp(18_000), replicas.ageMs(18_000)]).toEqual([[], 9_000])
    expect(replicas.giveUp(19_001)).toEqual(['b'])
  })

  test('a polling replica receives the counts of a lost replica from others, takes the latest and counts them once', () => {
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
    // It was only silent; and each replica knows itself best.
    newcomer.received(
      'b',
      of('b', 9, 12, [{ replica: 'newcomer', version: 1, observations: [{ uid: 'a', stats: counting(9) }] }]),
      14_000,
    )
    expect(sum(newcomer)).toBe(13)
    newcomer.received('old', of('old', 4, 1, old.gone()), 15_000)
    expect(sum(newcomer)).toBe(13)
  })

  test('a leaving replica knows when all that stay have acknowledged its last version', () => {
    const [observed, replicas] = [createObservations('leaving'), createReplicas('leaving')]
    const from = (replica: string, leaving: boolean): Snapshot => ({
      ...{ replica, version: 1, from: 0, total: 0, leaving, observations: [] },
    })
    observed.changed(workerOf(subscriptionOf('a', 'a'), fine))
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

  test('a polling replica receives a full snapshot from one that lost contact with another', () => {
    const observed = createObservations('other')
    observed.changed(workerOf(subscriptionOf('a', 'a'), fine))
    const { version } = observed.snapshot(0, none) as Snapshot
    observed.resyncAll()
    const gone = [{ replica: 'b', version: 1, observations: [] }]
    const full = observed.snapshot(version, () => gone)
    expect(full).toMatchObject({ from: 0, total: 1, gone })
    expect(observed.snapshot(full?.version ?? 0, () => gone)).toBeUndefined()
  })

  test('a polling replica replaces times in the future, from a clock that is ahead, by the present time', () => {
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
