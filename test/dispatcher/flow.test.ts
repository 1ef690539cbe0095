import { createFlow } from '../../src/dispatcher/workers/flow.ts'
import { createIsolation, type Isolation } from '../../src/dispatcher/workers/isolation.ts'
import type { Delivery } from '../../src/rabbit/amqp/port.ts'

type Named = Delivery & { readonly name: string }

const named = (name: string) => ({ name }) as Named
const settled = () => new Promise((resolve) => setTimeout(resolve, 10))

/** A subscription of which a message with `!` is a suspect. What it does is in `lines`. */
const subscription = (isolation: Isolation) => {
  const lines: string[] = []
  const running = new Map<string, { tried(): void; end(): void }>()
  const take = createFlow({
    isolation,
    quietMs: 0,
    isSuspect: (delivery) => (delivery as Named).name.endsWith('!'),
    process: (delivery, tried) => {
      const { name } = delivery as Named
      lines.push(`begin ${name}`)
      return new Promise<void>((resolve) => running.set(name, { tried, end: resolve }))
    },
    putAside: async (delivery) => void lines.push(`aside ${(delivery as Named).name}`),
  })
  return {
    lines,
    take: (...names: string[]) => {
      for (const name of names) take(named(name))
      return settled()
    },
    tried: (name: string) => {
      running.get(name)?.tried()
      return settled()
    },
    end: (name: string) => {
      running.get(name)?.end()
      return settled()
    },
  }
}

test('messages begin at once', async () => {
  const { lines, take } = subscription(createIsolation())
  await take('a', 'b')
  expect(lines).toEqual(['begin a', 'begin b'])
})

test('a suspect begins when nothing else is in flight, and nothing begins beside it', async () => {
  const { lines, take, end } = subscription(createIsolation())
  await take('a', 'b', 's!', 'c')
  await end('a')
  expect(lines).toEqual(['begin a', 'begin b'])
  await end('b')
  expect(lines.slice(2)).toEqual(['begin s!'])
  await take('d')
  await end('s!')
  expect(lines.slice(3)).toEqual(['begin c', 'begin d'])
})

test('what waits for the confirm of its copy is in nobody’s way', async () => {
  const { lines, take, tried } = subscription(createIsolation())
  await take('a', 's!', 'b')
  await tried('a')
  expect(lines.slice(1)).toEqual(['begin s!'])
  await tried('s!')
  expect(lines.slice(2)).toEqual(['begin b'])
})

test('a suspect whose copy is confirmed late does not end the trial of the next one', async () => {
  const { lines, take, tried, end } = subscription(createIsolation())
  await take('s!')
  await tried('s!')
  await take('t!')
  await end('s!')
  await take('a')
  expect(lines).toEqual(['begin s!', 'begin t!'])
  await end('t!')
  expect(lines.at(-1)).toBe('begin a')
})

test('one suspect is tried at a time in the process: others are set aside, and do not wait in hand', async () => {
  const isolation = createIsolation()
  const [one, other] = [subscription(isolation), subscription(isolation)]
  await one.take('s!', 't!')
  await other.take('u!', 'a')
  expect(one.lines.toSorted()).toEqual(['aside t!', 'begin s!'])
  expect(other.lines).toEqual(['aside u!', 'begin a'])
  await one.end('s!')
  await other.end('a')
  await other.take('u!')
  expect(other.lines.at(-1)).toBe('begin u!')
})
