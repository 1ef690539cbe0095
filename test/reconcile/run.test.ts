import type { Controller, Wake } from '../../src/reconcile/controller.ts'
import { runControllers } from '../../src/reconcile/run.ts'
import { createLog } from '../../src/telemetry/log.ts'
import { createMetrics, type Metrics } from '../../src/telemetry/metrics.ts'
import { eventually } from '../support/wait.ts'

const log = createLog({ level: 'silent' })

/** A controller of keys that the test adds, and what became of them. */
const toy = (name: string, fault: (key: string) => Error | undefined = () => undefined) => {
  const keys = new Set<string>()
  const calls: string[] = []
  let wake: Wake = () => undefined
  const controller: Controller = {
    name,
    keys: () => keys,
    watch(given) {
      wake = given
      return () => void calls.push('stopped')
    },
    async reconcile(key) {
      calls.push(key)
      const error = fault(key)
      if (error) throw error
      return undefined
    },
    forget: (key) => void calls.push(`forgot ${key}`),
    isExpected: (error): error is Error => error instanceof RangeError,
  }
  const put = (key: string): void => {
    keys.add(key)
    wake(key, 0)
  }
  const drop = (key: string): void => {
    keys.delete(key)
    wake(key, 0)
  }
  return { controller, calls, put, drop, count: (key: string) => calls.filter((one) => one === key).length }
}

const run = async (controllers: readonly Controller[], fence?: () => void) => {
  const stop = new AbortController()
  const metrics = createMetrics()
  const running = runControllers(controllers, { log, metrics, fence }, stop.signal)
  const end = async () => {
    stop.abort()
    await running.done
  }
  return { metrics, running, stop, [Symbol.asyncDispose]: end }
}

const sampleOf = async (metrics: Metrics, name: string, labels: string): Promise<number> => {
  const line = (await metrics.registry.metrics()).split('\n').find((one) => one.startsWith(`${name}{${labels}}`))
  return Number(line?.split(' ').at(-1) ?? 0)
}

test('a controller is reconciled for its keys alone, and its metrics carry its name', async () => {
  const [one, two] = [toy('one'), toy('two')]
  await using all = await run([one.controller, two.controller])
  one.put('shop/a')
  two.put('shop/b')
  await eventually(() => one.count('shop/a') === 1 && two.count('shop/b') === 1)
  expect([one.calls, two.calls]).toEqual([['shop/a'], ['shop/b']])
  const done = 'controller="two",namespace="shop",name="b",result="done"'
  await eventually(async () => (await sampleOf(all.metrics, 'waybill_reconcile_total', done)) === 1)
})

test('it is ready once every key that there is was reconciled, with or without success', async () => {
  const one = toy('one', (key) => (key === 'shop/bad' ? new RangeError('no') : undefined))
  await using all = await run([one.controller])
  expect(all.running.ready()).toBe(true)
  one.put('shop/bad')
  one.put('shop/good')
  expect(all.running.ready()).toBe(false)
  await eventually(() => all.running.ready())
})

test('a key that fails is tried again while others go on, and only unexpected errors count as such', async () => {
  const one = toy('one', (key) =>
    key === 'shop/bad' ? new RangeError('no') : key === 'shop/bug' ? new TypeError() : undefined,
  )
  await using all = await run([one.controller])
  for (const key of ['shop/bad', 'shop/bug', 'shop/good']) one.put(key)
  await eventually(() => one.count('shop/bad') === 3 && one.count('shop/bug') === 3)
  expect(one.count('shop/good')).toBe(1)
  expect(await sampleOf(all.metrics, 'waybill_reconcile_errors_total', 'controller="one"')).toBe(3)
})

test('a key that is gone is forgotten, not reconciled, and so are its metrics', async () => {
  const one = toy('one')
  await using all = await run([one.controller])
  one.put('shop/a')
  await eventually(() => one.count('shop/a') === 1)
  one.drop('shop/a')
  await eventually(() => one.calls.includes('forgot shop/a'))
  expect(one.count('shop/a')).toBe(1)
  await eventually(async () => !(await all.metrics.registry.metrics()).includes('name="a"'))
})

test('a fence that throws keeps a controller from reconciling', async () => {
  const one = toy('one')
  let asked = 0
  const all = await run([one.controller], () => {
    asked += 1
    throw new RangeError('Another leads')
  })
  one.put('shop/a')
  await eventually(() => asked > 1)
  await all[Symbol.asyncDispose]()
  expect(one.calls).toEqual(['stopped'])
})
