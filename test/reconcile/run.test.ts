import type { Controller, Wake } from '../../src/reconcile/controller.ts'
import { runControllers } from '../../src/reconcile/run.ts'
import { createLog } from '../../src/telemetry/log.ts'
import { createMetrics } from '../../src/telemetry/metrics.ts'
import { eventually } from '../support/wait.ts'

type Toy = {
  readonly controller: Controller
  /** Keys that were reconciled, and what else was asked of the controller. */
  readonly calls: readonly string[]
  count(call: string): number
  put(key: string): void
  drop(key: string): void
}

/** A controller of keys that the test adds; `work` is what reconciling does. Range errors are expected ones. */
const toy = (name: string, work: (key: string) => void | Promise<void> = () => undefined): Toy => {
  const keys = new Set<string>()
  const calls: string[] = []
  let wake: Wake = () => undefined
  const controller: Controller = {
    name,
    labels: (key) => ({ namespace: 'shop', broker: key }),
    keys: () => keys,
    watch(given) {
      wake = given
      return () => void calls.push('stopped')
    },
    async reconcile(key) {
      calls.push(key)
      await work(key)
      return undefined
    },
    forget: (key) => void calls.push(`forgot ${key}`),
    isExpected: (error): error is Error => error instanceof RangeError,
  }
  return {
    controller,
    calls,
    count: (call) => calls.filter((one) => one === call).length,
    put(key) {
      keys.add(key)
      wake(key, 0)
    },
    drop(key) {
      keys.delete(key)
      wake(key, 0)
    },
  }
}

const run = (controllers: readonly Controller[], fence?: () => void) => {
  const stop = new AbortController()
  const metrics = createMetrics()
  const lines: string[] = []
  const log = createLog({ level: 'debug', to: { write: (line) => void lines.push(line) } })
  const { ready, done } = runControllers(controllers, { log, metrics, fence }, stop.signal)
  const end = async (): Promise<void> => {
    stop.abort()
    await done
  }
  return {
    ...{ ready, end, [Symbol.asyncDispose]: end },
    /** What is logged of one key, with its level: `debug`, `error`. */
    logged: (key: string) => lines.map((line) => JSON.parse(line)).filter((line) => line.key === key),
    async sample(series: string): Promise<string | undefined> {
      const all = (await metrics.registry.metrics()).split('\n')
      return all
        .find((line) => line.startsWith(`waybill_${series} `))
        ?.split(' ')
        .at(-1)
    },
  }
}

const throwing = (error: Error) => () => {
  throw error
}

test('each controller is reconciled for its own keys, and its metrics have its name', async () => {
  const [one, two] = [toy('one'), toy('two')]
  const { labels: _, ...unlabelled } = two.controller
  await using all = run([one.controller, unlabelled])
  one.put('a')
  two.put('b')
  await eventually(() => one.count('a') === 1 && two.count('b') === 1)
  expect([one.calls, two.calls]).toEqual([['a'], ['b']])
  const [ofOne, ofTwo] = ['controller="one",namespace="shop",broker="a"', 'controller="two"']
  await eventually(async () => (await all.sample(`reconcile_total{${ofOne},result="done"}`)) === '1')
  await eventually(async () => (await all.sample(`reconcile_total{${ofTwo},result="done"}`)) === '1')
  expect(await all.sample(`reconcile_duration_seconds_count{${ofOne}}`)).toBe('1')
})

test('a reconcile that hangs holds up neither other keys nor other controllers', async () => {
  const held = Promise.withResolvers<void>()
  const [one, two] = [toy('one', (key) => (key === 'stuck' ? held.promise : undefined)), toy('two')]
  await using all = run([one.controller, two.controller])
  one.put('stuck')
  await eventually(() => one.count('stuck') === 1)
  one.put('other')
  two.put('stuck')
  await eventually(() => one.count('other') === 1 && two.count('stuck') === 1)
  expect(all.ready()).toBe(false)
  held.resolve()
  await eventually(all.ready)
})

test('a controller is ready once every existing key was reconciled, with or without success', async () => {
  const one = toy('one', (key) => (key === 'bad' ? throwing(new RangeError('no'))() : undefined))
  await using all = run([one.controller])
  expect(all.ready()).toBe(true)
  one.put('bad')
  one.put('good')
  expect(all.ready()).toBe(false)
  await eventually(all.ready)
})

test('a key that fails is retried after growing pauses, others are not, and only unexpected errors are counted', async () => {
  const faults: Record<string, Error> = { bad: new RangeError('no'), bug: new TypeError('oh') }
  const one = toy('one', (key) => (faults[key] ? throwing(faults[key])() : undefined))
  await using all = run([one.controller])
  for (const key of ['bad', 'bug', 'good']) one.put(key)
  await eventually(() => all.logged('bad').length === 3 && all.logged('bug').length === 3)
  expect(one.count('good')).toBe(1)
  expect(await all.sample('reconcile_errors_total{controller="one"}')).toBe('3')
  const [bad, bug] = [all.logged('bad'), all.logged('bug')]
  expect(bug[0]).toMatchObject({ level: 'error', controller: 'one', message: 'Could not reconcile, retrying' })
  expect(bad[0]).toMatchObject({ level: 'debug', controller: 'one', reason: 'no' })
  for (const [index, most] of [250, 500, 1_000].entries()) {
    expect(bad[index].retryMs).toBeGreaterThanOrEqual(most / 2)
    expect(bad[index].retryMs).toBeLessThanOrEqual(most)
  }
})

test('a key that is gone is forgotten and not reconciled, and its metrics are removed', async () => {
  const one = toy('one')
  await using all = run([one.controller])
  one.put('a')
  await eventually(() => one.count('a') === 1)
  one.drop('a')
  await eventually(() => one.count('forgot a') === 1)
  expect(one.count('a')).toBe(1)
  const series = 'reconcile_total{controller="one",namespace="shop",broker="a",result="done"}'
  await eventually(async () => (await all.sample(series)) === undefined)
})

test('no key is reconciled or forgotten while the fence throws, and the run still ends', async () => {
  const one = toy('one')
  let asked = 0
  const all = run([one.controller], () => {
    asked += 1
    throw new RangeError('Another leads')
  })
  one.put('a')
  one.drop('b')
  await eventually(() => asked > 2)
  await all.end()
  expect(one.calls).toEqual(['stopped'])
})
