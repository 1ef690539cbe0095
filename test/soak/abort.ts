import { fill, numberOf } from './fill.ts'
import { drained } from './ground.ts'
import { atMost, endOf, figure, reasonOf, type Scenario, startReplay } from './scenario.ts'

const [concurrency, minimum] = [10, 20]

/** Three of ten fail again, evenly: more than the Replay stands. */
export const abort: Scenario = {
  about: 'a Replay of which 30 % fail again, with abortOn of 20 %: it stops, and the rest is in its order',
  letters: 100_000,
  resyncInterval: '10s',
  async run(ground, { letters, rate }, say) {
    await ground.start()
    say(`filling with ${letters}`)
    await fill(ground, letters, 1_024, () => 400)
    const tried: number[] = []
    let failed = 0
    let crossedAt = Number.POSITIVE_INFINITY
    ground.sinks.big.receive((body) => {
      const number = Number.parseInt(body.subarray(0, 8).toString(), 10)
      tried.push(number)
      const isRefused = number % 10 < 3
      if (isRefused) failed += 1
      if (tried.length >= minimum && failed / tried.length >= 0.2) crossedAt = Math.min(crossedAt, tried.length)
      return isRefused ? 'refuse' : undefined
    })
    startReplay(ground, {
      ...{ concurrency, rate: { requests: rate, ramp: false } },
      abortOn: { failureRatePercent: 20, minimum, window: 100 },
    })
    const ended = await endOf(ground, say)
    await ground.waybill.stop()
    say('taking the rest out, in its order')
    const order: number[] = []
    await drained(ground.vhost.amqpUrl, ground.dlq, letters - tried.length + failed, (message) => {
      order.push(numberOf(message))
    })
    const isTried = new Set(tried)
    const untouched = order.filter((number) => !isTried.has(number))
    const moved = untouched.filter((number, at) => at > 0 && number !== (untouched[at - 1] as number) + 1).length
    const again = order.filter((number) => isTried.has(number))
    return [
      figure('the Replay', reasonOf(ended), 'Failed TooManyFailures', reasonOf(ended).includes('TooManyFailures')),
      atMost('attempts beyond the threshold', tried.length - crossedAt, minimum + concurrency, ''),
      figure('attempts', `${tried.length}, ${failed} of them failed`, '', true),
      figure(
        'letters that were not tried',
        untouched.length,
        String(letters - tried.length),
        untouched.length === letters - tried.length,
      ),
      figure('  out of their order', moved, '0', moved === 0),
      figure(
        'letters that failed again and are there',
        new Set(again).size,
        String(failed),
        new Set(again).size === failed,
      ),
    ]
  },
}
