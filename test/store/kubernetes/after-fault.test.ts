import { ApiError } from '../../../src/store/kubernetes/api/api-error.ts'
import { afterFault, endOf, type Progress } from '../../../src/store/kubernetes/watch/after-fault.ts'

const fault = (status: number, reason: string, retryAfterMs?: number) =>
  new ApiError({ status, reason, retryAfterMs }, reason)
const [away, silent, nonsense] = [fault(0, 'Unreachable'), fault(0, 'Silent'), fault(0, 'NotJson')]
const expired = fault(410, 'Expired')
const watching: Progress = { version: '7', failures: 0, emptyWatches: 0, wasExpired: false }

describe('after a fault of a list-watch', () => {
  test.each<[string, Progress, ApiError, string | undefined]>([
    ['a watch that was cut continues from its version', watching, away, '7'],
    ['a server that is away for long changes nothing about the version', { ...watching, failures: 9 }, away, '7'],
    ['an expired version is listed again', watching, expired, undefined],
    ['a version that the server refuses is listed again', watching, fault(400, 'BadRequest'), undefined],
    ['one empty watch does not make the version suspect', { ...watching, emptyWatches: 1 }, silent, '7'],
    ['two empty watches in a row do', { ...watching, emptyWatches: 2 }, silent, undefined],
    ['two watches that sent nonsense do too', { ...watching, emptyWatches: 2 }, nonsense, undefined],
    ['watches that cannot connect do not', { ...watching, emptyWatches: 2 }, away, '7'],
  ])('after a fault the list-watch continues from its version or lists again: %s', (_, progress, error, version) => {
    expect(afterFault(progress, error).progress.version).toBe(version)
  })

  test.each<[string, Progress, ApiError, boolean]>([
    ['is not reported the first two times while a version is known', { ...watching, failures: 1 }, away, false],
    ['is reported from the third time on', { ...watching, failures: 2 }, away, true],
    ['is reported at once while nothing was listed', { ...watching, version: undefined }, away, true],
    ['is never reported where a version expired', { ...watching, failures: 9, wasExpired: true }, expired, false],
  ])('a fault of a list-watch %s', (_, progress, error, isFailure) => {
    expect(afterFault(progress, error).isFailure).toBe(isFailure)
  })

  test('the wait after a fault of a list-watch grows to 10 s, and is short for the first expired version', () => {
    const waits = (progress: Progress, error: ApiError) =>
      [0, 1].map((random) => afterFault(progress, error, () => random).waitMs)
    expect(waits(watching, away)).toEqual([100, 200])
    expect(waits({ ...watching, failures: 3 }, away)).toEqual([800, 1_600])
    expect(waits({ ...watching, failures: 99 }, away)).toEqual([5_000, 10_000])
    expect(waits({ ...watching, failures: 5 }, expired)).toEqual([0, 200])
    expect(waits({ ...watching, failures: 1, wasExpired: true }, expired)).toEqual([200, 400])
    expect(waits(watching, fault(429, 'TooManyRequests', 3_000))).toEqual([3_000, 3_000])
    expect(waits(watching, fault(429, 'TooManyRequests', 60_000))).toEqual([10_000, 10_000])
  })

  test('the metric of watches that ended has the cause', () => {
    expect([expired, silent, away].map(endOf)).toEqual(['expired', 'silent', 'failed'])
  })
})
