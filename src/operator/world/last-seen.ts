import { type Verdict, verdict } from '../../api/conditions.ts'
import type { Queue } from '../../api/kinds/queue.ts'
import type { Subscription } from '../../api/kinds/subscription.ts'
import type { Resource } from '../../api/resource.ts'
import type { Report } from '../../reconcile/status-writer.ts'
import type { Unresolved } from '../../topology/references.ts'
import { doubtfulKeys } from '../../topology/routing-keys.ts'

/** What reports of resources have in common that were not read back from a broker. */

export const accepted = verdict('Accepted', 'True', 'Accepted', 'The specification is valid')

/** That it is accepted, and what in it is valid but hardly what was meant. */
export const acceptedOf = (resource: Resource): Verdict<'Accepted'> => {
  if (resource.kind !== 'Queue' && resource.kind !== 'Subscription') return accepted
  const [doubt] = doubtfulKeys(resource as Queue | Subscription)
  if (doubt === undefined) return accepted
  return verdict('Accepted', 'True', 'Accepted', `The specification is valid, but ${doubt.field}: ${doubt.message}`)
}

export const resolved = verdict('ResolvedRefs', 'True', 'ResolvedRefs', 'Everything it refers to exists and permits it')

/** What is attached to a broker refers to nothing that is not there, but for a dead-letter policy. */
export const refsOf = (unknownPolicy: Unresolved | undefined): Verdict<'ResolvedRefs'> =>
  unknownPolicy === undefined
    ? resolved
    : verdict('ResolvedRefs', 'False', 'RefNotPermitted', `${unknownPolicy.field}: ${unknownPolicy.message}`)

/** Dead letters that were there when the broker was last observed are reported until it is observed again. */
export const stillPresent = ({ status }: Resource): Verdict[] => {
  const before = status?.conditions?.find(({ type }) => type === 'DeadLettersPresent')
  return before === undefined ? [] : [verdict('DeadLettersPresent', 'True', 'DeadLetters', before.message)]
}

/** Fields of a status that the operator does not write, or stamps itself. */
const notSeen: ReadonlySet<string> = new Set(['conditions', 'delivery', 'observedGeneration'])

/** The fields of the status that were observed on the broker, as they were last observed. */
export const lastSeen = ({ status = {} }: Resource): Report['fields'] =>
  Object.fromEntries(Object.entries(status).filter(([name]) => !notSeen.has(name)))
