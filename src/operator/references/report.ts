import { verdict } from '../../api/conditions.ts'
import type { Resources } from '../../api/kinds/resources.ts'
import { readyFrom } from '../../api/readiness.ts'
import { idOf, isDeleting } from '../../api/resource.ts'
import type { Report } from '../../reconcile/status-writer.ts'
import type { Attached, Unresolved } from '../../topology/references.ts'
import { accepted, lastSeen, resolved, stillPresent } from '../world/last-seen.ts'

/**
 * The statuses of resources that belong to no broker because a reference cannot be resolved: their messages stay where they are.
 */
export const unresolvedReports = (unresolved: readonly Unresolved[]): Report[] =>
  unresolved.map(({ resource, field, message }) => {
    const refs = verdict('ResolvedRefs', 'False', 'RefNotPermitted', `${field}: ${message}`)
    const programmed = verdict(
      'Programmed',
      'False',
      'NotResolved',
      'Nothing is declared or changed while a reference cannot be resolved',
    )
    const verdicts = [accepted, refs, programmed, readyFrom(accepted, refs, programmed), ...stillPresent(resource)]
    return { resource, fields: lastSeen(resource), verdicts }
  })

/** The statuses of dead-letter policies, which belong to no broker of their own. */
export const policyReports = (resources: Resources, attached: Iterable<Attached>): Report[] => {
  const uses = new Map<string, number>()
  for (const { queues, subscriptions } of attached) {
    for (const { policy } of [...queues, ...subscriptions]) {
      if (policy) uses.set(idOf(policy), (uses.get(idOf(policy)) ?? 0) + 1)
    }
  }
  const programmed = verdict('Programmed', 'True', 'Programmed', 'Applied to each resource that uses it')
  return resources.deadletterpolicies
    .filter((policy) => !isDeleting(policy))
    .map((resource) => ({
      resource,
      fields: { subscriptions: uses.get(idOf(resource)) ?? 0 },
      verdicts: [accepted, resolved, programmed, readyFrom(accepted, resolved, programmed)],
    }))
}
