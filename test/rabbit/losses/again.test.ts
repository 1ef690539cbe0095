import { AgainMemory, type Fate, type MessageKey } from '../../../src/rabbit/losses/again.ts'

const minute = 60_000

const message = (text: string, queue = 'orders'): MessageKey => ({ queue, bytes: () => [Buffer.from(text)] })
const open: Fate = { is: 'open' }
const done: Fate = { is: 'done' }

test('a message that comes again is recalled by its queue and its bytes, once', () => {
  const memory = new AgainMemory()
  memory.remember(message('one'), open, true, 0)
  expect(memory.recall(message('two'), 0)).toBeUndefined()
  expect(memory.recall(message('one', 'invoices'), 0)).toBeUndefined()
  expect(memory.recall(message('one'), 0)).toBe(open)
  expect(memory.recall(message('one'), 0)).toBeUndefined()
  expect(memory.isEmpty).toBe(true)
})

test('where one part of a message ends matters', () => {
  const memory = new AgainMemory()
  memory.remember({ queue: 'orders', bytes: () => [Buffer.from('ab'), Buffer.from('c')] }, done, true, 0)
  const other = { queue: 'orders', bytes: () => [Buffer.from('a'), Buffer.from('bc')] }
  expect(memory.recall(other, 0)).toBeUndefined()
})

test('equal messages are counted; one in work is recalled first, then one that is done, then one that may have arrived', () => {
  const memory = new AgainMemory()
  const sent: Fate = { is: 'done' }
  memory.remember(message('same'), sent, false, 0)
  memory.remember(message('same'), done, true, 0)
  memory.remember(message('same'), open, true, 0)
  expect(memory.recall(message('same'), 0)).toBe(open)
  expect(memory.recall(message('same'), 0)).toBe(done)
  expect(memory.recall(message('same'), 0)).toBe(sent)
  expect(memory.recall(message('same'), 0)).toBeUndefined()
})

test('a new message in the queue shows that acknowledgements on their way have arrived', () => {
  const memory = new AgainMemory()
  memory.remember(message('one'), done, false, 0)
  memory.remember(message('one'), open, true, 0)
  memory.remember(message('one', 'invoices'), done, false, 0)
  memory.fresh('orders')
  expect(memory.recall(message('one'), 0)).toBe(open)
  expect(memory.recall(message('one'), 0)).toBeUndefined()
  expect(memory.recall(message('one', 'invoices'), 0)).toBe(done)
})

test('what was in hand is remembered for ten minutes, what may have arrived for one', () => {
  const memory = new AgainMemory()
  memory.remember(message('in hand'), open, true, 0)
  memory.remember(message('sent'), done, false, 0)
  expect(memory.recall(message('sent'), minute)).toBeUndefined()
  expect(memory.recall(message('in hand'), 10 * minute - 1)).toBe(open)
  memory.remember(message('in hand'), open, true, 0)
  expect(memory.recall(message('in hand'), 10 * minute)).toBeUndefined()
})

test('it remembers at most 10,000 deliveries, and takes new ones once old ones are over', () => {
  const memory = new AgainMemory()
  for (let index = 0; index < 10_001; index += 1) memory.remember(message(`message ${index}`), open, true, 0)
  expect(memory.recall(message('message 9999'), 1)).toBe(open)
  expect(memory.recall(message('message 10000'), 1)).toBeUndefined()
  memory.remember(message('late'), open, true, 0)
  memory.remember(message('later'), open, true, 10 * minute)
  expect(memory.recall(message('later'), 10 * minute)).toBe(open)
})
