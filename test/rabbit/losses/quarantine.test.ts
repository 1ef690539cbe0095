import type { Loss } from '../../../src/rabbit/losses/evidence.ts'
import { Quarantine, sharedLink } from '../../../src/rabbit/losses/quarantine.ts'

const internalError: Loss = { by: 'broker', code: 541, text: '541 INTERNAL_ERROR' }
const cut: Loss = { by: 'socket', text: 'socket closed' }

/** A broker that ends every connection on which one of the culprits is consumed, 100 ms after it was opened. */
const brokerWith = (queues: readonly string[], culprits: readonly string[], loss = internalError) => {
  const quarantine = new Quarantine()
  const bad = new Set(culprits)
  const losses = new Map<string, number>()
  for (const queue of queues) quarantine.add(queue)
  let now = 1_000_000
  let controlSince: number | undefined = 0
  const open = new Set<number>()
  let most = 0
  let lostAt = now

  const on = (link: number) =>
    queues.filter((queue) => {
      const place = quarantine.placeOf(queue)
      return 'link' in place && place.link === link
    })

  /** Opens what is to be open, and ends what has a culprit: one round. */
  const round = (): boolean => {
    for (const link of open) if (!quarantine.links.has(link)) open.delete(link)
    for (const link of quarantine.links) {
      if (open.has(link)) continue
      open.add(link)
      quarantine.opened(link, now)
    }
    most = Math.max(most, open.size)
    now += 100
    const dying = [...open].filter((link) => on(link).some((queue) => bad.has(queue)))
    for (const link of dying) {
      for (const queue of on(link)) losses.set(queue, (losses.get(queue) ?? 0) + 1)
      open.delete(link)
      lostAt = now
      quarantine.lost(link, loss, controlSince, now)
    }
    return dying.length > 0
  }
  return {
    quarantine,
    bad,
    losses,
    on,
    round,
    rounds: () => {
      let count = 0
      while (count < 100 && round()) count += 1
      return count
    },
    wait: (ms: number) => {
      now += ms
      quarantine.tick(now)
    },
    controlIsDown: () => {
      controlSince = undefined
    },
    now: () => now,
    lostAt: () => lostAt,
    most: () => most,
    found: () => queues.filter((queue) => quarantine.culpritOf(queue) !== undefined),
  }
}

const named = (count: number) => Array.from({ length: count }, (_, index) => `queue-${index}`)

test.each([
  { queues: 1, culprits: [0], rounds: 1 },
  { queues: 2, culprits: [1], rounds: 2 },
  { queues: 8, culprits: [3], rounds: 2 },
  { queues: 64, culprits: [10], rounds: 3 },
  { queues: 64, culprits: [0, 1, 2], rounds: 3 },
  { queues: 64, culprits: [0, 8, 16], rounds: 3 },
  { queues: 1_000, culprits: [500], rounds: 4 },
  { queues: 1_000, culprits: [1, 333, 999], rounds: 5 },
])('among $queues queues, the culprits $culprits are found in $rounds rounds, and nobody else', (given) => {
  const names = named(given.queues)
  const culprits = given.culprits.map((index) => `queue-${index}`)
  const broker = brokerWith(names, culprits)
  expect(broker.rounds()).toBe(given.rounds)
  expect(broker.found()).toEqual(culprits)
  expect(broker.most()).toBeLessThanOrEqual(64 + given.culprits.length)
  // The others are consumed, each on a link that lives.
  for (const name of names) {
    if (culprits.includes(name)) expect(broker.quarantine.placeOf(name)).toHaveProperty('waitsUntil')
    else expect(broker.quarantine.links).toContain((broker.quarantine.placeOf(name) as { link: number }).link)
  }
})

test('a queue that shares nothing with a culprit after the first loss is lost no second time', () => {
  const broker = brokerWith(named(8), ['queue-5'])
  broker.rounds()
  expect(broker.losses.get('queue-5')).toBe(2)
  for (const name of named(8)) if (name !== 'queue-5') expect(broker.losses.get(name)).toBe(1)
})

test('a culprit waits 10 s, doubling to 5 min, and is tried alone, message by message', () => {
  const broker = brokerWith(named(3), ['queue-1'])
  broker.rounds()
  for (const waitMs of [10_000, 20_000, 40_000, 80_000, 160_000, 300_000, 300_000]) {
    const place = broker.quarantine.placeOf('queue-1')
    const againAt = broker.lostAt() + waitMs
    expect(place).toEqual({ waitsUntil: againAt })
    expect(broker.quarantine.culpritOf('queue-1')).toMatchObject({ cause: '541 INTERNAL_ERROR', againAt })
    broker.wait(againAt - 1 - broker.now())
    expect(broker.quarantine.placeOf('queue-1')).toEqual(place)
    broker.wait(1)
    const again = broker.quarantine.placeOf('queue-1') as { link: number }
    expect(again).toMatchObject({ oneByOne: true })
    expect(broker.on(again.link)).toEqual(['queue-1'])
    expect(broker.quarantine.culpritOf('queue-1')).toBeDefined()
    expect(broker.rounds()).toBe(1)
  }
})

test('a culprit that is consumed for 10 s without a loss is none any more', () => {
  const broker = brokerWith(named(3), ['queue-1'])
  broker.rounds()
  broker.bad.clear()
  broker.wait(10_000)
  broker.round()
  broker.wait(9_800)
  expect(broker.found()).toEqual(['queue-1'])
  broker.wait(200)
  expect(broker.found()).toEqual([])
  expect(broker.quarantine.placeOf('queue-1')).toMatchObject({ oneByOne: false })
})

test('after a minute of calm all but the culprit share one connection again, and the released one after ten', () => {
  const broker = brokerWith(named(20), ['queue-7'])
  broker.rounds()
  broker.bad.clear()
  broker.wait(10_000)
  broker.round()
  broker.wait(60_000)
  expect(broker.on(sharedLink)).toHaveLength(19)
  expect(broker.quarantine.links.size).toBe(2)
  broker.wait(600_000)
  expect(broker.on(sharedLink)).toHaveLength(20)
  expect([...broker.quarantine.links]).toEqual([sharedLink])
  expect(broker.quarantine.nextAt).toBeUndefined()
})

test('what waits and what is calm is due at the time that is told', () => {
  const broker = brokerWith(named(3), ['queue-1'])
  expect(broker.quarantine.nextAt).toBeUndefined()
  broker.rounds()
  expect(broker.quarantine.nextAt).toBe(broker.lostAt() + 10_000)
})

test.each<{ loss: Loss; why: string }>([
  { loss: { by: 'broker', code: 320, text: 'CONNECTION_FORCED' }, why: 'a broker that shuts down' },
  { loss: cut, why: 'a socket that ends' },
])('$why is nobody’s doing once and twice; the third brief life in a row starts the search', ({ loss }) => {
  const broker = brokerWith(named(4), ['queue-2'], loss)
  broker.round()
  broker.round()
  expect(broker.on(sharedLink)).toHaveLength(4)
  broker.round()
  expect(broker.on(sharedLink)).toHaveLength(0)
  broker.rounds()
  expect(broker.found()).toEqual(['queue-2'])
})

test('while the control is down too, it is the broker’s own trouble', () => {
  const broker = brokerWith(named(4), ['queue-2'], cut)
  broker.controlIsDown()
  broker.rounds()
  expect(broker.found()).toEqual([])
  expect(broker.on(sharedLink)).toHaveLength(4)
})

test('a connection that lived long and lost its socket is nobody’s doing, however often', () => {
  const broker = brokerWith(named(4), [], cut)
  for (let times = 0; times < 10; times += 1) {
    broker.quarantine.opened(sharedLink, broker.now())
    broker.wait(10_000)
    broker.quarantine.lost(sharedLink, cut, 0, broker.now())
  }
  expect(broker.on(sharedLink)).toHaveLength(4)
})

test('at most eight culprits are tried at a time', () => {
  const broker = brokerWith(named(30), named(20))
  broker.rounds()
  expect(broker.found()).toHaveLength(20)
  broker.wait(10_000)
  const tried = named(20).filter((name) => 'link' in broker.quarantine.placeOf(name))
  expect(tried).toHaveLength(8)
})

test('a queue that nobody consumes any more leaves nothing behind', () => {
  const broker = brokerWith(named(9), ['queue-1'])
  broker.rounds()
  for (const name of named(9)) broker.quarantine.remove(name)
  expect([...broker.quarantine.links]).toEqual([sharedLink])
  expect(broker.quarantine.nextAt).toBeUndefined()
})
