import { jest } from '@jest/globals'
import { givingWay } from '../../src/rabbit/amqp/holding/give-way.ts'

afterEach(() => void jest.useRealTimers())

/** A connection that is read in portions, by whom rests while `mayRest` says so. */
const reader = (mayRest: () => boolean) => {
  jest.useFakeTimers()
  let isReading = true
  const giveWay = givingWay(
    {
      pauseReading() {
        isReading = false
      },
      resumeReading() {
        isReading = true
      },
    },
    mayRest,
  )
  return {
    isReading: () => isReading,
    read(messages: number): void {
      for (let message = 0; message < messages; message += 1) giveWay()
    },
  }
}

test('whoever is in a hurry reads again as soon as everything else had its turn', () => {
  const { read, isReading } = reader(() => false)
  for (let times = 0; times < 5; times += 1) {
    read(500)
    expect(isReading()).toBe(false)
    jest.advanceTimersByTime(0)
    expect(isReading()).toBe(true)
  }
})

test('a look that nobody waits for reads 25,000 messages a second at most, until somebody does', () => {
  let isAwaited = false
  const { read, isReading } = reader(() => !isAwaited)
  let messages = 0
  for (let ms = 0; ms < 1_000; ms += 1) {
    if (isReading()) {
      read(50)
      messages += 50
    }
    jest.advanceTimersByTime(1)
  }
  expect(messages).toBeLessThanOrEqual(25_050)
  jest.advanceTimersByTime(2)
  isAwaited = true
  read(50)
  jest.advanceTimersByTime(0)
  expect(isReading()).toBe(true)
})

test('messages that come in small portions are not rested after each', () => {
  const { read, isReading } = reader(() => true)
  for (let portion = 0; portion < 49; portion += 1) {
    read(1)
    jest.advanceTimersByTime(0)
    expect(isReading()).toBe(true)
  }
  read(1)
  jest.advanceTimersByTime(0)
  expect(isReading()).toBe(false)
})
