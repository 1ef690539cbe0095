import { AgainMemory, type Remembered } from '../../../src/rabbit/losses/again.ts'

const minute = 60_000

const delivery = (text: string, fate: Remembered['fate'] = 'open', queue = 'orders'): Remembered => ({
  queue,
  fate,
  bytes: () => [Buffer.from(text)],
})

test('a message that comes again is recalled by its queue and its bytes, once', () => {
  const memory = new AgainMemory()
  const lost = delivery('one')
  memory.remember(lost, true, 0)
  expect(memory.recall(delivery('two'), 0)).toBeUndefined()
  expect(memory.recall(delivery('one', 'open', 'invoices'), 0)).toBeUndefined()
  expect(memory.recall(delivery('one'), 0)).toBe(lost)
  expect(memory.recall(delivery('one'), 0)).toBeUndefined()
  expect(memory.isEmpty).toBe(true)
})

test('where one part of a message ends matters', () => {
  const memory = new AgainMemory()
  memory.remember({ queue: 'orders', fate: 'done', bytes: () => [Buffer.from('ab'), Buffer.from('c')] }, true, 0)
  const other = { queue: 'orders', fate: 'open' as const, bytes: () => [Buffer.from('a'), Buffer.from('bc')] }
  expect(memory.recall(other, 0)).toBeUndefined()
})

test('equal messages are counted; one in work is recalled first, then one that is done, then one that may have arrived', () => {
  const memory = new AgainMemory()
  const [sent, done, open] = [delivery('same', 'done'), delivery('same', 'done'), delivery('same')]
  memory.remember(sent, false, 0)
  memory.remember(done, true, 0)
  memory.remember(open, true, 0)
  expect(memory.recall(delivery('same'), 0)).toBe(open)
  expect(memory.recall(delivery('same'), 0)).toBe(done)
  expect(memory.recall(delivery('same'), 0)).toBe(sent)
  expect(memory.recall(delivery('same'), 0)).toBeUndefined()
})

test('a new message in the queue shows that acknowledgements on their way have arrived', () => {
  const memory = new AgainMemory()
  const open = delivery('one')
  memory.remember(delivery('one', 'done'), false, 0)
  memory.remember(open, true, 0)
  memory.remember(delivery('one', 'done', 'invoices'), false, 0)
  memory.fresh('orders')
  expect(memory.recall(delivery('one'), 0)).toBe(open)
  expect(memory.recall(delivery('one'), 0)).toBeUndefined()
  expect(memory.recall(delivery('one', 'open', 'invoices'), 0)).toBeDefined()
})

test('what was in hand is remembered for ten minutes, what may have arrived for one', () => {
  const memory = new AgainMemory()
  memory.remember(delivery('in hand'), true, 0)
  memory.remember(delivery('sent', 'done'), false, 0)
  expect(memory.recall(delivery('sent'), minute)).toBeUndefined()
  expect(memory.recall(delivery('in hand'), 10 * minute - 1)).toBeDefined()
  memory.remember(delivery('in hand'), true, 0)
  expect(memory.recall(delivery('in hand'), 10 * minute)).toBeUndefined()
})

test('it remembers at most 10,000 deliveries, and takes new ones once old ones are over', () => {
  const memory = new AgainMemory()
  for (let index = 0; index < 10_001; index += 1) memory.remember(delivery(`message ${index}`), true, 0)
  expect(memory.recall(delivery('message 9999'), 1)).toBeDefined()
  expect(memory.recall(delivery('message 10000'), 1)).toBeUndefined()
  memory.remember(delivery('late'), true, 0)
  memory.remember(delivery('later'), true, 10 * minute)
  expect(memory.recall(delivery('later'), 10 * minute)).toBeDefined()
})
