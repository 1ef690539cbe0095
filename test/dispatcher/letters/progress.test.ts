import { type Replay, replay } from '../../../src/api/kinds/replay.ts'
import { validate } from '../../../src/api/kinds/validate.ts'
import { apiVersion, type Kind } from '../../../src/api/resource.ts'
import { cameBack, counted, looked, progressOf, roomOf } from '../../../src/dispatcher/letters/progress.ts'

/** What a job knows of how far it is follows from what is in the queue. */

const jobOf = (status: Replay['status']): Replay => {
  const spec = { topicRef: { name: 'orders' }, selector: { all: true } }
  const found = validate(replay as Kind, { apiVersion, kind: 'Replay', spec })
  if (!('spec' in found)) throw new Error(JSON.stringify(found))
  const metadata = { name: 'x', namespace: 'shop', uid: 'u', generation: 1 }
  return { kind: 'Replay', metadata, spec: found.spec, status } as unknown as Replay
}
const seen = (matching: number, marked: number, others = 0) => ({
  ...{ matching, marked, others },
  untimed: matching,
  isComplete: true,
})

test('a process that goes on with parked events of which 30 were put, 10 of them in vain, finds that out from the queue', () => {
  const job = jobOf({ matched: 100, delivered: 12, failed: 0, left: 88, passed: 0 })
  const progress = progressOf(job)
  looked(progress, job, seen(70, 10))
  expect(progress).toMatchObject({ matched: 100, delivered: 20, failed: 10, left: 70, isUnsure: true })
})

test('what is parked while it runs is left alone, and what came back is counted when it ends', () => {
  const job = jobOf({})
  const progress = progressOf(job)
  looked(progress, job, seen(3, 0))
  for (let put = 0; put < 3; put++) counted(progress, job, undefined)
  looked(progress, job, seen(5, 1))
  expect(progress).toMatchObject({ matched: 3, delivered: 3, left: 0, passed: 5 })
  expect(roomOf(progress, job)).toBe(0)
  cameBack(progress, seen(5, 1))
  expect(progress).toMatchObject({ delivered: 2, failed: 1 })
  expect(progress.lastFailure!.message).toBe('No queue is bound for its routing key: it is parked again')
})
