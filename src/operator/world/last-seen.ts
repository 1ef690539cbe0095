import { type Verdict, verdict } from '../../api/conditions.ts'
import type { Resource } from '../../api/resource.ts'
import type { Report } from '../../reconcile/status-writer.ts'

/** What reports of resources have in common that were not read back from a broker. */

export const accepted = verdict('Accepted', 'True', 'Accepted', 'The specification is valid')
export const resolved = verdict('ResolvedRefs', 'True', 'ResolvedRefs', 'Everything it refers to exists and permits it')

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
