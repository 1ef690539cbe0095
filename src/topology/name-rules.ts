import type { Queue } from '../api/kinds/queue.ts'
import type { Topic } from '../api/kinds/topic.ts'
import { keyOf, type Resource } from '../api/resource.ts'
import { chosenNameOf, dotted, isReserved, nameField, nameOf, ownerOf } from './names.ts'
import { isSelected } from './namespace-selector.ts'
import { type Ask, byClaim, holds, isNobodys, type Owners } from './owners.ts'
import { type Attached, membersOf } from './references.ts'
import type { Refusal } from './refusals.ts'

/** Who gets which name on one broker. */
export type Names = {
  /** In the order in which they get the names that they ask for. */
  byClaim<T>(list: readonly T[], resourceOf: (one: T) => Named): readonly T[]
  /** Why it may not have its name, or may not adopt; `undefined` where it may. */
  refusal(resource: Named): Refusal | undefined
}

type Named = Topic | Queue

/**
 * The rules about names on one broker. What a resource holds on the broker already stays its own, whatever they say: they
 * decide who gets a name, not who loses one.
 */
export const namesOn = (attached: Attached, instance: string, onBroker: Owners): Names => {
  const { broker } = attached
  const home = broker.metadata.namespace
  const namespaces = new Set(membersOf(attached).map(({ metadata }) => metadata.namespace))
  const askedBy = (resource: Named): Ask => ({
    resource,
    owner: ownerOf(instance, resource),
    object: 'exchange' in resource.spec ? `exchange ${nameOf(resource)}` : `queue ${nameOf(resource)}`,
    adopt: resource.spec.adopt,
    chosen: chosenNameOf(resource) !== undefined,
  })

  const nameRefusal = ({ object, adopt, chosen }: Ask, resource: Named): Refusal | undefined => {
    const { namespace } = resource.metadata
    const name = nameOf(resource)
    const refuse = (message: string) => notPermitted(resource, nameField(resource), message)
    if (isReserved(name)) {
      return refuse(`${name}: no resource may choose or adopt such a name, which is Waybill's or the broker's own`)
    }
    if (!chosen || name.startsWith(`${namespace}.`)) return undefined
    const why = barred(attached, 'customNames', namespace)
    if (why !== undefined) {
      return refuse(
        `Broker ${keyOf(broker)} ${why} choose names (spec.customNames): leave it out, for ${dotted(resource)}, or choose one that begins with ${namespace}.`,
      )
    }
    const other = namespaceIn(name)
    if (other === undefined) return undefined
    // Who has the broker may use what it holds, and any name that is no namespace's by then.
    if (namespace === home && (!namespaces.has(other) || (adopt && isNobodys(object, onBroker)))) return undefined
    return refuse(
      `${name}: such names belong to the namespace ${other}: choose one that begins with ${namespace}., or has no dot`,
    )
  }

  const adoptionRefusal = ({ adopt }: Ask, resource: Named): Refusal | undefined => {
    const why = adopt ? barred(attached, 'adoption', resource.metadata.namespace) : undefined
    return why === undefined
      ? undefined
      : notPermitted(
          resource,
          'spec.adopt',
          `Broker ${keyOf(broker)} ${why} adopt (spec.adoption): leave it out, or declare this there`,
        )
  }

  return {
    byClaim: (list, resourceOf) => byClaim(list, onBroker, (one) => askedBy(resourceOf(one))),
    refusal(resource) {
      const asked = askedBy(resource)
      if (holds(asked, onBroker)) return undefined
      return nameRefusal(asked, resource) ?? adoptionRefusal(asked, resource)
    },
  }
}

/** Why a namespace may not do something on a broker, as a part of a sentence; `undefined` where it may. */
const barred = (
  { broker, labelsOf }: Attached,
  what: 'customNames' | 'adoption',
  namespace: string,
): string | undefined => {
  const { from, selector } = broker.spec[what]
  const home = broker.metadata.namespace
  if (from === 'All' || namespace === home) return undefined
  if (selector === undefined) return `lets only ${home}`
  const labels = labelsOf(namespace)
  if (labels !== undefined)
    return isSelected(selector, labels) ? undefined : `lets only ${home} and namespaces with certain labels`
  return `does not let ${namespace}, whose labels Waybill does not know (it needs the right to list namespaces),`
}

const notPermitted = (resource: Resource, field: string, message: string): Refusal => ({
  resource,
  reason: 'NotPermitted',
  field,
  message,
})

/** The namespace whose resources have names such as this one, if a namespace can have that name. */
const namespaceIn = (name: string): string | undefined => /^([a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?)\./.exec(name)?.[1]
