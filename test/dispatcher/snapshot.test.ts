import fc from 'fast-check'
import type { Subscription } from '../../src/api/kinds/subscription.ts'
import { newTally, type Tally } from '../../src/delivery/stats.ts'
import type { Lane } from '../../src/dispatcher/workers/worker.ts'
import { createRegister } from '../../src/dispatcher/status/observations.ts'
import { createReplicas } from '../../src/dispatcher/replicas/replicas.ts'
import { isShare, type LaneState, mergeSights, type Share, type Sight } from '../../src/dispatcher/replicas/snapshot.ts'

const count = fc.integer({ min: 0, max: 1_000 })
const text = fc.constantFrom('one', 'two', 'three')
const tally: fc.Arbitrary<Tally> = fc.record({
  ...{ delivered: count, retried: count, deadLettered: count, lastSuccess: count },
  ...{ failing: count, failingSince: count, failingUntil: count },
  lastFailure: fc.option(fc.record({ time: count, reason: text, message: text }), { nil: undefined }),
})
const lane: fc.Arbitrary<LaneState> = fc.record({
  generation: fc.integer({ min: 1, max: 3 }),
  starting: fc.boolean(),
  waiting: fc.option(
    fc.record({ reason: fc.constantFrom('NoConsumer' as const, 'BrokerUnreachable' as const), message: text }),
    { nil: undefined },
  ),
  blocked: fc.option(text, { nil: undefined }),
  gone: fc.boolean(),
})
const sight: fc.Arbitrary<Sight> = fc.record({ tally, lane: fc.option(lane, { nil: undefined }) })

const fine: LaneState = { generation: 2, starting: false, gone: false }
const waiting: LaneState = { ...fine, waiting: { reason: 'NoConsumer', message: 'no queue' } }
const cutOff: LaneState = { ...fine, waiting: { reason: 'BrokerUnreachable', message: 'no broker' } }
const merged = (...lanes: LaneState[]): LaneState | undefined =>
  mergeSights(lanes.map((each) => ({ tally: newTally(), lane: each }))).lane

describe('what several replicas see', () => {
  test('is the same in any order, and of lanes in any grouping', () => {
    fc.assert(
      fc.property(sight, sight, sight, (a, b, c) => {
        expect(mergeSights([c, a, b])).toEqual(mergeSights([a, b, c]))
        const { lane: grouped } = mergeSights([mergeSights([a, b]), c])
        expect(grouped).toEqual(mergeSights([a, b, c]).lane)
      }),
    )
  })

  test('is, of one replica alone, what that one sees', () => {
    fc.assert(fc.property(lane, (one) => expect(merged(one)).toEqual(one)))
  })

  test.each<[string, LaneState | undefined, Partial<LaneState>]>([
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
  const laneOf = (subscription: Subscription, state: LaneState): Lane => ({
    route: { id: `Subscription/shop/${subscription.metadata.name}`, subscription } as Lane['route'],
    state: () => state,
    stop: async () => {},
  })
  const none = () => []
  /** As it comes over the wire. */
  const sent = (share: Share | undefined): Share | undefined => {
    if (share === undefined) return undefined
    const received: unknown = JSON.parse(JSON.stringify(share))
    if (!isShare(received)) throw new Error(`${JSON.stringify(received)} is no share`)
    return received
  }
  const step = fc.record({
    name: fc.constantFrom('a', 'b', 'c'),
    does: fc.constantFrom('deliver', 'rest', 'drop', 'forget', 'recreate', 'hear', 'lose'),
    state: lane,
  })

  test('whatever happens in between, in the end it knows what that one sees, and then there is nothing to tell', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
        const register = createRegister('other')
        const replicas = createReplicas('self')
        const uids = new Map<string, number>()
        const used = new Set<string>()
        const current = (name: string) => subscriptionOf(name, `${name}-${uids.get(name) ?? 0}`)
        const ask = (isLost = false): Share | undefined => {
          const since = replicas.since('other')
          const answer = sent(register.share(since, none))
          if (!isLost) replicas.heard('other', answer, Date.now())
          return answer
        }
        for (const { name, does, state } of steps) {
          const subscription = current(name)
          used.add(subscription.metadata.uid)
          if (does === 'deliver') {
            register.tallyOf(subscription).delivered += 1
            register.changed(laneOf(subscription, { ...state, starting: false }))
          }
          if (does === 'rest') register.idle({ subscription, reason: 'Suspended', message: 'm' })
          if (does === 'drop') register.dropped(subscription)
          if (does === 'forget') register.forget('shop', name)
          if (does === 'recreate') uids.set(name, (uids.get(name) ?? 0) + 1)
          if (does === 'hear') ask()
          if (does === 'lose') ask(true)
        }
        ask()
        // What that one no longer has makes it ask for everything once more.
        ask()
        const all = sent(register.share(0, none)) as Share
        const seen = new Map(all.sights.map(({ uid, ...one }) => [uid, [one]]))
        for (const uid of used) expect(replicas.sights(uid)).toEqual(seen.get(uid) ?? [])
        if (all.total > 0) expect(ask()).toBeUndefined()
      }),
    )
  })

  test('that one starts: the end of the start is heard, though nothing else happened', () => {
    const register = createRegister('other')
    const subscription = subscriptionOf('a', 'a')
    let starting = true
    register.changed({ ...laneOf(subscription, fine), state: () => ({ ...fine, starting }) })
    const { at } = register.share(0, none) as Share
    starting = false
    expect(register.share(at, none)?.sights).toMatchObject([{ uid: 'a', lane: { starting: false } }])
  })

  test('one that leaves tells its counts alone', () => {
    const register = createRegister('other')
    const subscription = subscriptionOf('a', 'a')
    register.tallyOf(subscription).delivered = 3
    register.changed(laneOf(subscription, fine))
    const { at } = register.share(0, none) as Share
    register.leave()
    const [told] = sent(register.share(at, none))?.sights ?? []
    expect([told?.tally.delivered, told?.lane]).toEqual([3, undefined])
  })

  test('one that falls silent delivers no more, what it counted stays, and it may come back', () => {
    const replicas = createReplicas('self')
    const share: Share = {
      replica: 'b',
      at: 1,
      from: 0,
      total: 1,
      leaving: false,
      sights: [{ uid: 'a', tally: newTally(), lane: fine }],
    }
    expect(replicas.heard('b', share, 0)).toBe(true)
    expect(replicas.giveUp(10_000)).toEqual([])
    replicas.news()
    expect([replicas.giveUp(10_001), replicas.count(), [...replicas.news()]]).toEqual([['b'], 0, ['a']])
    expect(replicas.sights('a')).toEqual([{ tally: newTally() }])
    expect(replicas.since('b')).toBe(0)
    expect(replicas.heard('b', share, 20_000)).toBe(true)
    expect([replicas.count(), replicas.sights('a')]).toEqual([1, [{ tally: newTally(), lane: fine }]])
  })

  test('of one that is gone a newcomer hears from who heard it last, and what it counted counts once', () => {
    const counting = (delivered: number): Tally => ({ ...newTally(), delivered })
    const of = (replica: string, at: number, delivered: number, gone?: Share['gone']): Share => ({
      ...{ replica, at, from: 0, total: 1, leaving: false, sights: [{ uid: 'a', tally: counting(delivered) }] },
      gone,
    })
    const sum = (replicas: ReturnType<typeof createReplicas>) => mergeSights(replicas.sights('a')).tally.delivered
    const [old, newcomer] = [createReplicas('old'), createReplicas('newcomer')]
    old.heard('b', of('b', 7, 5), 0)
    expect(old.gone()).toEqual([])
    old.giveUp(10_001)
    newcomer.heard('old', of('old', 1, 1, old.gone()), 11_000)
    expect([sum(newcomer), newcomer.count()]).toEqual([6, 1])
    newcomer.heard(
      'old',
      of('old', 2, 1, [{ replica: 'b', at: 6, sights: [{ uid: 'a', tally: counting(4) }] }]),
      12_000,
    )
    expect(sum(newcomer)).toBe(6)
    newcomer.heard(
      'old',
      of('old', 3, 1, [{ replica: 'b', at: 8, sights: [{ uid: 'a', tally: counting(9) }] }]),
      13_000,
    )
    expect(sum(newcomer)).toBe(10)
    // It was only silent; and of itself it knows better.
    newcomer.heard(
      'b',
      of('b', 9, 12, [{ replica: 'newcomer', at: 1, sights: [{ uid: 'a', tally: counting(9) }] }]),
      14_000,
    )
    expect(sum(newcomer)).toBe(13)
    newcomer.heard('old', of('old', 4, 1, old.gone()), 15_000)
    expect(sum(newcomer)).toBe(13)
  })

  test('one that leaves knows when all that stay have heard the last of it', () => {
    const [register, replicas] = [createRegister('leaving'), createReplicas('leaving')]
    const from = (replica: string, leaving: boolean): Share => ({
      ...{ replica, at: 1, from: 0, total: 0, leaving, sights: [] },
    })
    register.changed(laneOf(subscriptionOf('a', 'a'), fine))
    expect(replicas.allKnow(register.at())).toBe(true)
    replicas.heard('staying', from('staying', false), 0)
    replicas.heard('leaving-too', from('leaving-too', true), 0)
    register.leave()
    replicas.told('staying', register.heardBy('leaving.1'))
    replicas.told('stranger', register.heardBy(`leaving.${register.at()}`))
    expect(replicas.allKnow(register.at())).toBe(false)
    for (const words of [null, '', 'leaving', 'leaving.x', 'leaving.-1', 'leaving.999', `other.${register.at()}`])
      expect(register.heardBy(words)).toBe(0)
    replicas.told('staying', register.heardBy(`leaving.${register.at()}`))
    expect(replicas.allKnow(register.at())).toBe(true)
  })

  test('one that gave up another tells everything once more', () => {
    const register = createRegister('other')
    register.changed(laneOf(subscriptionOf('a', 'a'), fine))
    const { at } = register.share(0, none) as Share
    register.tellAll()
    const gone = [{ replica: 'b', at: 1, sights: [] }]
    const told = register.share(at, () => gone)
    expect(told).toMatchObject({ from: 0, total: 1, gone })
    expect(register.share(told?.at ?? 0, () => gone)).toBeUndefined()
  })

  test('a clock that is ahead makes no success of the future', () => {
    const replicas = createReplicas('self')
    const ahead = { ...newTally(), lastSuccess: 5_000, lastFailure: { time: 6_000, reason: 'r', message: 'm' } }
    replicas.heard(
      'b',
      { replica: 'b', at: 1, from: 0, total: 1, leaving: false, sights: [{ uid: 'a', tally: ahead }] },
      1_000,
    )
    expect(replicas.sights('a')[0]?.tally).toMatchObject({ lastSuccess: 1_000, lastFailure: { time: 1_000 } })
  })
})

test.each([
  null,
  [],
  'share',
  {},
  { replica: 'a', at: 1, from: 0, total: 1 },
  { replica: 'a', at: '1', from: 0, total: 0, leaving: false, sights: [] },
  { replica: 'a', at: -1, from: 0, total: 0, leaving: false, sights: [] },
  { replica: 'a', at: 1, from: 0, total: 1, leaving: false, sights: [{}] },
  { replica: 'a', at: 1, from: 0, total: 0, leaving: false, sights: [], gone: [{ replica: 'b' }] },
  { replica: 'a', at: 1, from: 0, total: 1, leaving: false, sights: [{ uid: 1, tally: newTally() }] },
  {
    replica: 'a',
    at: 1,
    from: 0,
    total: 1,
    leaving: false,
    sights: [{ uid: 'a', tally: { ...newTally(), delivered: 'many' } }],
  },
  {
    replica: 'a',
    at: 1,
    from: 0,
    total: 1,
    sights: [{ uid: 'a', tally: newTally(), lane: { ...fine, waiting: 'x' } }],
  },
])('%j is no share', (value) => {
  expect(isShare(value)).toBe(false)
})

test('what a newer version has more to say is let pass', () => {
  const sights = [{ uid: 'a', tally: { ...newTally(), more: 1 }, lane: { ...fine, more: {} } }]
  expect(isShare({ replica: 'a', at: 1, from: 0, total: 1, leaving: false, sights, more: [] })).toBe(true)
})
