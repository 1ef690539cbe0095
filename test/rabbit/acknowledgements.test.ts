import fc from 'fast-check'
import { Acknowledgements, Holding, type Unacknowledged } from '../../src/rabbit/amqp/deliveries/acknowledgements.ts'

class Message implements Unacknowledged<Message> {
  state: 'open' | 'settled' | 'sent' = 'open'
  previous: Message | undefined = undefined
  next: Message | undefined = undefined
  readonly tag: number
  readonly holding: Holding

  constructor(tag: number, holding: Holding) {
    this.tag = tag
    this.holding = holding
  }
}

/** A channel of the broker: it knows the tags it waits for, and takes offence as RabbitMQ does. */
const channelOf = (count: number, holding = new Holding(count)) => {
  const owed = new Acknowledgements<Message>()
  const waitingFor = new Set<number>()
  const frames: string[] = []
  const messages = Array.from({ length: count }, (_, index) => new Message(index + 1, holding))
  for (const message of messages) {
    owed.add(message)
    waitingFor.add(message.tag)
  }
  const flush = () =>
    owed.flush((message, upTo) => {
      frames.push(`${upTo ? '≤' : ''}${message.tag}`)
      if (!waitingFor.has(message.tag)) throw new Error(`unknown delivery tag ${message.tag}`)
      for (const tag of upTo ? [...waitingFor].filter((tag) => tag <= message.tag) : [message.tag]) {
        if (messages[tag - 1]!.state === 'open') throw new Error(`tag ${tag} is not settled`)
        waitingFor.delete(tag)
      }
    })
  return { owed, messages, waitingFor, frames, flush, holding }
}

test.each([
  { settled: [1], frames: ['1'] },
  { settled: [1, 2, 3], frames: ['≤3'] },
  { settled: [3, 1, 2], frames: ['≤3'] },
  { settled: [2], frames: ['2'] },
  { settled: [5, 3], frames: ['5', '3'] },
  { settled: [1, 2, 4, 6], frames: ['≤2', '4', '6'] },
  { settled: [1, 2, 3, 4, 5, 6], frames: ['≤6'] },
  { settled: [], frames: [] },
])('the settled messages $settled of 6 messages are acknowledged as $frames', ({ settled, frames }) => {
  const channel = channelOf(6)
  for (const tag of settled) channel.owed.settle(channel.messages[tag - 1]!)
  channel.flush()
  expect(channel.frames).toEqual(frames)
})

test('the next multiple acknowledgement after a gap is closed skips what was already sent', () => {
  const channel = channelOf(4)
  channel.owed.settle(channel.messages[1]!)
  channel.flush()
  channel.owed.settle(channel.messages[2]!)
  channel.owed.settle(channel.messages[0]!)
  channel.flush()
  expect(channel.frames).toEqual(['2', '≤3'])
})

test('a requeued message is not acknowledged and does not hold others back', () => {
  const channel = channelOf(3)
  channel.owed.remove(channel.messages[0]!)
  channel.waitingFor.delete(1)
  channel.owed.settle(channel.messages[1]!)
  channel.owed.settle(channel.messages[2]!)
  channel.flush()
  expect(channel.frames).toEqual(['≤3'])
  expect(channel.owed.isEmpty).toBe(true)
})

test('every settled message is acknowledged exactly once, and no other', () => {
  const step = fc.oneof(
    { weight: 6, arbitrary: fc.record({ do: fc.constant('settle' as const), which: fc.nat(39) }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('give back' as const), which: fc.nat(39) }) },
    { weight: 2, arbitrary: fc.constant({ do: 'flush' as const, which: 0 }) },
  )
  fc.assert(
    fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
      const channel = channelOf(40)
      const done = new Set<number>()
      for (const { do: what, which } of [...steps, { do: 'flush' as const, which: 0 }]) {
        const message = channel.messages[which]!
        if (what === 'flush') channel.flush()
        else if (message.state === 'open') {
          done.add(message.tag)
          if (what === 'settle') channel.owed.settle(message)
          else {
            channel.owed.remove(message)
            channel.waitingFor.delete(message.tag)
          }
        }
      }
      expect(40 - channel.waitingFor.size).toBe(done.size)
      for (const tag of done) expect(channel.waitingFor.has(tag)).toBe(false)
      expect(channel.holding).toMatchObject({ open: 40 - done.size, unsent: 0 })
      expect(channel.owed.isEmpty).toBe(done.size === 40)
    }),
  )
})

test.each([
  { prefetch: 1, due: 1 },
  { prefetch: 2, due: 1 },
  { prefetch: 3, due: 2 },
  { prefetch: 10, due: 5 },
])('acknowledgements with prefetch $prefetch are due after $due settled messages', ({ prefetch, due }) => {
  const holding = new Holding(prefetch)
  const { owed, messages } = channelOf(prefetch, holding)
  const dueAfter = messages.findIndex((message) => {
    owed.settle(message)
    return holding.isDue
  })
  expect(dueAfter + 1).toBe(due)
})

test('a consumer holds nothing of a channel that is closed', async () => {
  const channel = channelOf(3)
  channel.owed.settle(channel.messages[1]!)
  const emptied = channel.holding.emptied()
  channel.owed.abandon()
  await emptied
  expect(channel.holding).toMatchObject({ open: 0, unsent: 0 })
  channel.flush()
  expect(channel.frames).toEqual([])
})
