import { type Condition, conditionTypes, type Reason, stamp, type Verdict, verdict, writtenBy } from './conditions.ts'
import type { Subscription } from './kinds/subscription.ts'

type Said = Pick<Condition, 'status' | 'reason' | 'message'>
type Delivering = Said & Pick<Condition, 'observedGeneration'>

/** Ready as it follows from the others: the first that is not True says why. */
export const readyFrom = (accepted: Said, resolved: Said, programmed: Said): Verdict<'Ready'> => {
  if (accepted.status !== 'True') return verdict('Ready', 'False', 'NotAccepted', accepted.message)
  if (resolved.status !== 'True') return verdict('Ready', 'False', 'NotResolved', resolved.message)
  if (programmed.status !== 'True') return verdict('Ready', 'False', 'NotProgrammed', programmed.message)
  return verdict('Ready', 'True', 'Ready', 'Declared on the broker')
}

/** That nothing will come of it by waiting, where that is so: it asks for what it cannot have. */
export const stalledBy = (accepted: Verdict<'Accepted'>, programmed: Verdict<'Programmed'>): Verdict<'Stalled'>[] => {
  const cause = accepted.status === 'False' ? accepted : programmed
  const { status, reason, message } = cause
  if (status !== 'False' || !hopeless.has(reason)) return []
  return [verdict('Stalled', 'True', reason as Reason<'Stalled'>, message)]
}

const hopeless: ReadonlySet<string> = new Set(conditionTypes.Stalled.reasons)

/** These, and what follows from them. */
export const allFrom = (
  accepted: Verdict<'Accepted'>,
  resolved: Verdict<'ResolvedRefs'>,
  programmed: Verdict<'Programmed'>,
): Verdict[] => [
  ...[accepted, resolved, programmed, readyFrom(accepted, resolved, programmed)],
  ...stalledBy(accepted, programmed),
]

/**
 * The generation that a status is about: that of its Ready, so that who compares it with the generation of the resource
 * never takes an older Ready for the answer. Whoever writes Ready writes it too.
 */
export const generationOf = (conditions: readonly Condition[]): { readonly observedGeneration?: number } => {
  const observedGeneration = conditions.find(({ type }) => type === 'Ready')?.observedGeneration
  return observedGeneration === undefined ? {} : { observedGeneration }
}

/**
 * Ready of a Subscription: once it is declared, it is Ready when a dispatcher delivers, or has stopped because `suspend` says so:
 * then it is as it was asked to be. Nobody asked for a stop after 410 Gone. It is Ready in no newer generation than the one
 * that the dispatcher has taken up.
 */
export const deliveringReady = (declared: Verdict, delivering: Delivering | undefined): Verdict => {
  if (declared.status !== 'True') return declared
  const { observedGeneration, message = 'No dispatcher has reported on it yet' } = delivering ?? {}
  if (delivering?.status === 'True')
    return { ...verdict('Ready', 'True', 'Ready', 'Declared on the broker and delivering'), observedGeneration }
  if (delivering?.reason === 'Suspended')
    return { ...verdict('Ready', 'True', 'Suspended', message), observedGeneration }
  return verdict('Ready', 'False', delivering?.reason === 'Gone' ? 'Gone' : 'NotDelivering', message)
}

/**
 * Ready of a Subscription as it follows from its other conditions, and the generation that it is about; `undefined` before
 * the operator has reconciled it. A process that changes one of the others writes Ready with them, so that it never depends
 * on another process that may be down.
 */
export const readyOf = (
  conditions: readonly Condition[],
): { readonly ready: Verdict; readonly generation: number } | undefined => {
  const find = (type: string): Condition | undefined => conditions.find((condition) => condition.type === type)
  const [accepted, resolved, programmed] = [find('Accepted'), find('ResolvedRefs'), find('Programmed')]
  if (!accepted || !resolved || !programmed) return undefined
  const ready = deliveringReady(readyFrom(accepted, resolved, programmed), find('Delivering'))
  return { ready, generation: programmed.observedGeneration ?? 0 }
}

const ofDispatchers = writtenBy('dispatcher')

/** The conditions that are the dispatchers' to write: these, and Ready, which follows from them and from the operator's. */
export const withReady = (
  { status }: Pick<Subscription, 'status'>,
  own: readonly Condition[],
  now: Date,
): readonly Condition[] => {
  const before = status?.conditions ?? []
  const due = readyOf([...before.filter(({ type }) => !ofDispatchers.has(type)), ...own])
  return due ? [...own, ...stamp([due.ready], before, due.generation, now)] : own
}
