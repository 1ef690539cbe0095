import { type Verdict, verdict } from '../../api/conditions.ts'
import { changeText, type Planned } from '../../topology/change.ts'
import type { Conflict } from '../../topology/conflicts.ts'
import type { Desired } from '../../topology/desired.ts'
import type { Plan } from '../../topology/diff.ts'
import type { Retained } from '../../topology/health/retained.ts'
import type { StalledLevel } from '../../topology/health/stalled-levels.ts'
import type { Refusal } from '../../topology/refusals.ts'
import { accepted } from '../world/last-seen.ts'

/** What is known of a broker after it was converged. */
export type Findings = {
  readonly wanted: Desired
  /** What is still to be done: nothing, unless the broker refused, or Waybill only observes. */
  readonly plan: Plan
  /** By owner: why its change failed. */
  readonly failures: ReadonlyMap<string, string>
  readonly observing: boolean
  /** By owner: why the queue that it pushes from may lose messages. */
  readonly unsafe: ReadonlyMap<string, string>
  readonly stalled: readonly StalledLevel[]
  readonly retained: readonly Retained[]
}

/** Findings by owner, so that a thousand resources are judged without a thousand searches. */
export type Judge = (owner: string) => {
  accepted: Verdict<'Accepted'>
  programmed: Verdict<'Programmed'>
  problems: Verdict[]
}

/** What to say of each resource of a broker, by its owner. */
export const judge = (
  { wanted, plan, failures, observing, unsafe }: Findings,
  refusedOwner: (refusal: Refusal) => string,
): Judge => {
  const refusals = new Map(wanted.refusals.map((refusal) => [refusedOwner(refusal), refusal]))
  // The first is the cause, what follows is its consequence.
  const conflicts = new Map(plan.conflicts.toReversed().map((conflict) => [conflict.owner, conflict]))
  const shadowed = new Map(plan.shadowed.map(({ owner, message }) => [owner, message]))
  const open = new Map<string, Planned[]>()
  // Objects that are being retired take nothing away from what is wanted.
  const retiring = new Set([...plan.changes, ...plan.sealing])
  for (const planned of plan.stages.flat()) {
    if (retiring.has(planned)) continue
    const list = open.get(planned.owner)
    if (list) list.push(planned)
    else open.set(planned.owner, [planned])
  }

  return (owner) => {
    const refusal = refusals.get(owner)
    if (refusal) return refused(refusal)
    const conflict = conflicts.get(owner)
    const shadow = shadowed.get(owner)
    const problems: Verdict[] = shadow ? [verdict('PolicyShadowed', 'True', 'PolicyShadowed', shadow)] : []
    if (conflict) return { accepted, ...conflicting(conflict, problems) }
    const failure = failures.get(owner)
    if (failure) return { accepted, programmed: verdict('Programmed', 'False', 'BrokerRefused', failure), problems }
    const left = open.get(owner)
    if (left && observing) {
      problems.push(verdict('Drifted', 'True', 'Drifted', `Waybill only observes; missing: ${listed(left)}`))
      return {
        accepted,
        programmed: verdict('Programmed', 'False', 'Observing', `Not on the broker: ${listed(left)}`),
        problems,
      }
    }
    if (left)
      return {
        accepted,
        programmed: verdict('Programmed', 'False', 'Pending', `Not yet on the broker: ${listed(left)}`),
        problems,
      }
    const danger = unsafe.get(owner)
    if (danger) return { accepted, programmed: verdict('Programmed', 'False', 'UnsafeQueue', danger), problems }
    return {
      accepted,
      programmed: verdict('Programmed', 'True', 'Programmed', 'Read back from the broker as declared'),
      problems,
    }
  }
}

/** The verdicts on a resource that is not accepted. */
export const refused = ({ reason, field, message }: Refusal) => {
  const text = `${field}: ${message}`
  const problems = reason === 'Conflicted' ? [verdict('Conflicted', 'True', 'ClaimedByAnother', text)] : []
  return {
    accepted: verdict('Accepted', 'False', reason, text),
    programmed: verdict('Programmed', 'False', 'Pending', 'Not accepted, so nothing was declared'),
    problems,
  }
}

const conflicting = ({ reason, message }: Conflict, problems: Verdict[]) => {
  if (reason === 'ImmutableArgument' || reason === 'Pending') {
    return { programmed: verdict('Programmed', 'False', reason, message), problems }
  }
  problems.push(verdict('Conflicted', 'True', reason, message))
  if (reason === 'OtherInstance') return { programmed: verdict('Programmed', 'False', reason, message), problems }
  return { programmed: verdict('Programmed', 'False', 'Conflicted', message), problems }
}

const listed = (left: readonly Planned[]): string => {
  const shown = left.slice(0, 3).map(({ change }) => changeText(change))
  return left.length > 3 ? `${shown.join(', ')} and ${left.length - 3} more` : shown.join(', ')
}
