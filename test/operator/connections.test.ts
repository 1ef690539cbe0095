import { connections } from '../../src/operator/topology/connections.ts'
import { readAgainMs } from '../../src/operator/topology/freshness.ts'
import { brokerOf } from '../topology/resources.ts'

const key = 'shop/rabbitmq'
const broker = brokerOf('rabbitmq')

const setUp = () => {
  let [password, time, reads] = ['first', 0, 0]
  const store = {
    secret: async () => {
      reads += 1
      const texts = { connection_string: 'amqp://127.0.0.1:1', username: 'user', password }
      return Object.fromEntries(Object.entries(texts).map(([name, text]) => [name, Buffer.from(text)]))
    },
  }
  const all = connections({ store, lookup: undefined, fence: undefined, now: () => time })
  return {
    all,
    reads: () => reads,
    rotate: (to: string) => {
      password = to
    },
    wait: (ms: number) => {
      time += ms
    },
  }
}

describe('the Secret of a Broker', () => {
  test('is not read while nothing happens, and once a minute all the same', async () => {
    const { all, reads, wait, rotate } = setUp()
    const first = await all.to(key, broker)
    for (let probe = 0; probe < 10; probe++) {
      wait(3_500)
      expect(await all.current(key, broker)).toBe(first)
      expect(await all.to(key, broker)).toBe(first)
    }
    expect(reads()).toBe(1)
    wait(readAgainMs)
    expect(await all.current(key, broker)).toBe(first)
    expect(await all.current(key, broker)).toBe(first)
    expect(reads()).toBe(2)
    rotate('second')
    wait(readAgainMs)
    expect(await all.current(key, broker)).toBeUndefined()
    expect(await all.to(key, broker)).not.toBe(first)
    await all.close()
  })

  test('is read at once when credentials are refused, when the Broker changes, and when Secrets change', async () => {
    const { all, reads, rotate } = setUp()
    const first = await all.to(key, broker)
    all.doubt(key)
    expect(await all.to(key, broker)).toBe(first)
    rotate('second')
    all.doubt(key)
    const second = await all.to(key, broker)
    expect([second === first, reads()]).toEqual([false, 3])
    rotate('third')
    const changed = brokerOf('rabbitmq', {}, { generation: 2 })
    const third = await all.to(key, changed)
    expect(third).not.toBe(second)
    rotate('fourth')
    all.doubtAll()
    expect(await all.current(key, changed)).toBeUndefined()
    expect(await all.to(key, changed)).not.toBe(third)
    expect(reads()).toBe(6)
    await all.close()
  })
})
