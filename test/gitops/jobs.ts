import { stamp, type Verdict } from '../../src/api/conditions.ts'
import type { Job } from '../../src/api/job.ts'
import { discard } from '../../src/api/kinds/discard.ts'
import { replay } from '../../src/api/kinds/replay.ts'
import { validate } from '../../src/api/kinds/validate.ts'
import { apiVersion } from '../../src/api/resource.ts'
import { type Progress, progressOf, type Seen } from '../../src/dispatcher/letters/progress.ts'
import { ending, progressing, stopped, suspended, waiting } from '../../src/dispatcher/letters/verdicts.ts'
import type { Row } from './declared.ts'

const now = new Date(Date.UTC(2030, 0, 1))
const seen: Seen = { matching: 0, marked: 0, others: 0, untimed: 0, isComplete: true }

const rowsOf = (kind: typeof replay | typeof discard): Row[] => {
  const reason = kind === discard ? { reason: 'of a test' } : {}
  const jobOf = (spec: object = {}): Job => {
    const whole = { subscriptionRef: { name: 'billing' }, selector: { all: true }, ...reason, ...spec }
    const manifest = { apiVersion, kind: kind.kind, metadata: { name: 'again', generation: 1 }, spec: whole }
    const validated = validate(kind, manifest)
    if ('problems' in validated) throw new Error(JSON.stringify(validated.problems))
    return { ...manifest, ...validated } as unknown as Job
  }
  const job = jobOf()
  const at = (progress: Partial<Progress>): Progress => ({ ...progressOf(job), ...progress })
  const said = (verdicts: readonly Verdict[] | undefined, observedGeneration = 1): Job => {
    if (verdicts === undefined) throw new Error(`The ${kind.kind} goes on`)
    return { ...job, status: { observedGeneration, conditions: stamp(verdicts, undefined, 1, now) } } as Job
  }
  const stop = (why: 'CanaryFailed' | 'TooManyFailures' | 'TargetGone' | 'TargetFull') =>
    said(stopped(job, at({ left: 3 }), { reason: why, message: why }))
  return [
    ['not seen yet', 'Progressing', 'InProgress', { ...job, status: { observedGeneration: -1 } }],
    ['looking', 'Progressing', 'InProgress', said(progressing(job, at({})))],
    ['taking', 'Progressing', 'InProgress', said(progressing(job, at({ matched: 8 })))],
    ['another is done first', 'Progressing', 'InProgress', said(waiting('AnotherJobRunning', 'x is older'))],
    ['its Subscription is not delivered', 'Progressing', 'InProgress', said(waiting('SubscriptionNotDelivering', ''))],
    ['broker away', 'Progressing', 'InProgress', said(waiting('BrokerUnreachable', ''))],
    ['suspended', 'Suspended', 'Current', said(suspended())],
    ['resumed, and not yet seen', 'Progressing', 'InProgress', said(suspended(), 0)],
    ['done', 'Healthy', 'Current', said(ending(job, at({ matched: 2, delivered: 2 }), seen))],
    ['nothing matched', 'Healthy', 'Current', said(ending(job, at({ matched: 0 }), seen))],
    ['only counted', 'Healthy', 'Current', said(ending(jobOf({ dryRun: true }), at({ matched: 4 }), seen))],
    [
      'as many as it may',
      'Healthy',
      'Current',
      said(ending(jobOf({ maxMessages: 1 }), at({ delivered: 1, left: 2 }), seen)),
    ],
    ['the first failed again', 'Degraded', 'Failed', stop('CanaryFailed')],
    ['too many failed', 'Degraded', 'Failed', stop('TooManyFailures')],
    ['its target is gone', 'Degraded', 'Failed', stop('TargetGone')],
    ['its target is full', 'Degraded', 'Failed', stop('TargetFull')],
  ]
}

export const jobRows: Readonly<Record<string, readonly Row[]>> = { Replay: rowsOf(replay), Discard: rowsOf(discard) }
