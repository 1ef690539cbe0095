import type { LookupFunction } from 'node:net'
import type { Route } from '../../src/dispatcher/pipeline/route.ts'
import { watchServiceName } from '../../src/dispatcher/workers/service-name.ts'
import { eventually } from '../support/wait.ts'

test('a Service that comes and goes is told each time, and a name server that is away for a moment is not', async () => {
  const subscriber = { serviceRef: { name: 'billing', port: 80 } }
  const route = { subscription: { spec: { subscriber } }, target: { origin: 'http://billing.shop.svc' } }
  let [code, asked]: [string | undefined, number] = ['ENOTFOUND', 0]
  const lookup = ((_, __, callback) => {
    asked += 1
    callback(code === undefined ? null : Object.assign(new Error(code), { code }), [])
  }) as LookupFunction
  const told: boolean[] = []
  const stop = new AbortController()
  const times = { missingMs: 1, foundMs: 1 }
  watchServiceName(route as Route, { lookup }, (missing) => told.push(missing !== undefined), stop.signal, times)
  const again = async (to: string | undefined): Promise<void> => {
    code = to
    const before = asked
    await eventually(() => asked >= before + 5)
  }
  await again('ENOTFOUND')
  await again('EAI_AGAIN')
  expect(told).toEqual([true])
  await again(undefined)
  await again('EAI_AGAIN')
  expect(told).toEqual([true, false])
  await again('ENOTFOUND')
  await again(undefined)
  expect(told).toEqual([true, false, true, false])
  stop.abort()
  const before = asked
  await new Promise((resolve) => setTimeout(resolve, 20))
  expect(asked).toBe(before)
})
