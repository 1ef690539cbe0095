import type { Resources } from '../api/kinds/resources.ts'
import type { Resource } from '../api/resource.ts'
import type { Problem } from '../api/schema/problem.ts'
import { desired } from './desired.ts'
import { newestDialect } from './dialect.ts'
import type { LabelsOf } from './namespace-selector.ts'
import { resolveReferences, unknownPolicies } from './references.ts'

/** What is wrong among resources that are each valid alone: dangling references, names that two of them want. */
export const problemsOf = (
  resources: Resources,
  instance: string,
  labelsOf: LabelsOf,
): { resource: Resource; problem: Problem }[] => {
  const { attached, unresolved } = resolveReferences(resources, labelsOf)
  const dangling = [...unresolved, ...unknownPolicies(attached.values())].map(({ resource, field, message }) => ({
    resource,
    problem: { field, message },
  }))
  const refused = [...attached.values()].flatMap((entry) =>
    desired(entry, instance, newestDialect).refusals.map(({ resource, field, message }) => ({
      resource,
      problem: { field, message },
    })),
  )
  return [...dangling, ...refused]
}
