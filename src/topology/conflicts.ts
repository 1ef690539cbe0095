import { identifiedBy } from '../api/resource.ts'
import { objectText } from './change.ts'
import type { Desired, Owned } from './desired.ts'
import { mayChoose, ownerArgument } from './names.ts'
import type { Arguments, Binding, Exchange, Observed, Queue } from './topology.ts'

/** Something on the broker that stands in the way of a resource, and is left as it is. */
export type Conflict = {
  readonly owner: string
  readonly reason: 'ClaimedByAnother' | 'OtherInstance' | 'NotClaimed' | 'ImmutableArgument' | 'Pending'
  readonly message: string
}

/** What of the wanted objects is on the broker already, and what stands in their way. */
export type Contest = {
  readonly conflicts: readonly Conflict[]
  /** Wanted objects that the broker does not have yet, as `objectText` writes them. */
  readonly absent: ReadonlySet<string>
  /** Wanted objects that will not be there as declared, so that nothing can be bound to them. */
  readonly missing: ReadonlySet<string>
  /** Whether changes may be made for this owner: nothing stands in its way. */
  free(entry: { readonly owner: string }): boolean
}

type Wanted = Owned<Exchange | Queue> & { readonly object: string }
type Found = { readonly name: string; readonly arguments: Arguments; readonly type?: string }

/** Compares each wanted exchange and queue with what has its name on the broker. */
export const contest = (wanted: Desired, observed: Observed): Contest => {
  const found = new Map<string, Found>([
    ...observed.exchanges.map((one) => [objectText({ kind: 'exchange', name: one.name }), one] as const),
    ...observed.queues.map((one) => [objectText({ kind: 'queue', name: one.name }), one] as const),
  ])
  const objects: readonly Wanted[] = [
    ...wanted.exchanges.map((one) => ({ ...one, object: objectText({ kind: 'exchange', name: one.want.name }) })),
    ...wanted.queues.map((one) => ({ ...one, object: objectText({ kind: 'queue', name: one.want.name }) })),
  ]
  const absent = objects.filter(({ object }) => !found.has(object))
  const contested = objects.flatMap((one) => {
    const there = found.get(one.object)
    const conflict = there && conflictOf(wanted, one, there)
    return conflict ? [{ object: one.object, conflict }] : []
  })
  const conflicts = contested.map(({ conflict }) => conflict)
  // A resource does all or nothing: its policies would hold for what it does not own, and without its new bindings it
  // must keep the old ones. What all share is declared as far as it can be.
  const stopped = new Set(conflicts.map(({ owner }) => owner))
  const free = ({ owner }: { readonly owner: string }) => owner === wanted.broker || !stopped.has(owner)
  const missing = new Set(contested.map(({ object }) => object))
  const dependents = [
    ...wanted.bindings.map(({ owner, want }) => ({ owner, objects: endsOf(want) })),
    ...wanted.needs.map(({ owner, object }) => ({ owner, objects: [object] })),
  ]
  // Who is stopped declares nothing, which stops those that bind to it, or read it.
  for (let before = -1; before !== stopped.size; ) {
    before = stopped.size
    for (const one of absent) if (!free(one)) missing.add(one.object)
    for (const { owner, objects } of dependents) {
      const inTheWay = objects.find((object) => missing.has(object))
      if (inTheWay === undefined || stopped.has(owner)) continue
      const message = `${inTheWay} is not what was declared: see the resource that declares it`
      conflicts.push({ owner, reason: 'Pending', message })
      stopped.add(owner)
    }
  }
  return { conflicts, absent: new Set(absent.map(({ object }) => object)), missing, free }
}

/** The two objects that a binding needs. */
export const endsOf = ({ source, destination }: Binding): readonly string[] => [
  objectText({ kind: 'exchange', name: source }),
  objectText({ kind: 'queue', name: destination }),
]

/** `undefined` where the object is the one wanted. */
const conflictOf = (
  { instance, broker }: Desired,
  { owner, adopt, want, object }: Wanted,
  found: Found,
): Conflict | undefined => {
  const holder = found.arguments[ownerArgument]
  const [kind] = identifiedBy(owner.slice(instance.length + 1))
  const chooses = mayChoose({ kind }, object)
  const orName = chooses ? ', or choose another name' : ''
  const gone = 'delete it once it is empty'
  // Several Brokers may share a virtual host: each may use what another one of the same instance made.
  const shared = owner === broker && typeof holder === 'string' && holder.startsWith(`${instance}:Broker/`)
  if (holder === owner || shared) {
    const differences = differencesOf(want, found)
    if (differences.length === 0) return undefined
    const message = `${object} exists with other immutable arguments (${differences.join('; ')}): ${gone}${orName}`
    return { owner, reason: 'ImmutableArgument', message }
  }
  if (isOther(holder, owner)) return otherInstance(holder, owner, object, chooses)
  if (holder !== undefined) {
    const whose = holderText(String(holder), owner, instance)
    const message = `${object} belongs to ${whose}: ${chooses ? 'choose another name' : gone}`
    return { owner, reason: 'ClaimedByAnother', message }
  }
  if (!adopt) {
    // What Waybill names itself can be made anew, so nothing is adopted in its place.
    const remedy = chooses ? 'set spec.adopt: true to use it' : gone
    const message = `${object} exists and was not declared by Waybill: ${remedy}${orName}`
    return { owner, reason: 'NotClaimed', message }
  }
  const [is, wants] = [typeOf(found), typeOf(want)]
  if (is === wants) return undefined
  const remedy = adoptable.has(is) ? 'create this resource again with that type, or choose' : 'choose'
  const message = `${object} has type ${is}, not ${wants}: ${remedy} another name`
  return { owner, reason: 'ImmutableArgument', message }
}

/** Whether it is of the resource of this very name, under another instance. */
const isOther = (holder: unknown, owner: string): holder is string =>
  typeof holder === 'string' && holder.slice(holder.indexOf(':')) === owner.slice(owner.indexOf(':'))

/** Either this operator was started with another name than before, or two installations have resources of the same names. */
const otherInstance = (holder: string, owner: string, object: string, chooses: boolean): Conflict => {
  const [was, is] = [holder, owner].map((each) => each.split(':')[0])
  const what = `${object} belongs to ${holder}: it was declared with --instance ${was}, and this operator runs with --instance ${is}`
  const other = chooses ? 'choose another name' : 'use another virtual host'
  const message = `${what}. Nothing of it is changed. If it is yours, run the operator with --instance ${was} again (instance in the chart); if it is another installation's, ${other}`
  return { owner, reason: 'OtherInstance', message }
}

/** A stream keeps what was consumed, and whoever reads one from its end loses what came while nobody did. */
const adoptable: ReadonlySet<string> = new Set(['topic', 'fanout', 'headers', 'quorum', 'classic'])

/** The type of an exchange, or of a queue, which is classic where its arguments do not say. */
const typeOf = (object: Found | Exchange | Queue): string =>
  'type' in object && object.type !== undefined ? object.type : String(object.arguments['x-queue-type'] ?? 'classic')

/** Whose an object is, as the owner of another one may know it: resources of other namespaces are none of its business. */
const holderText = (holder: string, owner: string, instance: string): string => {
  const own = `${instance}:`
  if (!holder.startsWith(own)) return `another installation of Waybill (--instance ${holder.split(':')[0]})`
  const id = holder.slice(own.length)
  const [, namespace] = identifiedBy(id)
  return namespace === identifiedBy(owner.slice(own.length))[1] ? id : 'a resource of another namespace'
}

const differencesOf = (want: Exchange | Queue, found: Found): string[] => {
  const differences: string[] = []
  if ('type' in want && want.type !== found.type) differences.push(`type is ${found.type}, wanted ${want.type}`)
  for (const key of new Set([...Object.keys(want.arguments), ...Object.keys(found.arguments)])) {
    const [is, wanted] = [found.arguments[key], want.arguments[key]]
    if (key !== ownerArgument && is !== wanted)
      differences.push(`${key} is ${is ?? 'not set'}, wanted ${wanted ?? 'not set'}`)
  }
  return differences
}
