import { objectText, type Planned } from './change.ts'
import { type Conflict, contest, endsOf } from './conflicts.ts'
import type { Desired } from './desired.ts'
import { ownerArgument } from './names.ts'
import { type PolicyPlan, policyPlan } from './policies.ts'
import { type Retiring, retire, stillDelays, type Times } from './retire.ts'
import { bindingKey, type Observed } from './topology.ts'

/** What the operator does to a virtual host, and what it reports. */
export type Plan = Retiring & {
  /** In the order in which they must be made, stage by stage; within a stage in any order. */
  readonly stages: readonly (readonly Planned[])[]
  readonly conflicts: readonly Conflict[]
  readonly shadowed: PolicyPlan['shadowed']
}

/** What must be done to make `observed` equal to `wanted`, and what stands in the way. */
export const diff = (wanted: Desired, observed: Observed, times: Times): Plan => {
  const { conflicts, absent, missing, free } = contest(wanted, observed)
  const policies = policyPlan(wanted, observed, free)
  const retiring = retire(wanted, observed, times)
  // RabbitMQ applies policies anew when one changes, not when the same one is put once more.
  const unput = policies.missed.map(
    ({ owner, want }): Planned => ({ owner, change: { do: 'delete-policy', policy: want.name } }),
  )
  const put = policies.missed.map(({ owner, want }): Planned => ({ owner, change: { do: 'put-policy', policy: want } }))
  return {
    ...retiring,
    stages: [
      // A queue that is being declared while its policy is put may miss it for ever. And each policy that is put is
      // matched against all queues that are there: with a thousand of both that takes minutes.
      [...retiring.sealing, ...policies.changes, ...unput].filter(free),
      declares(wanted, absent).filter(free),
      [...put, ...binds(wanted, observed, missing)].filter(free),
      [...unbinds(wanted, observed).filter(free), ...retiring.changes],
    ].filter((stage) => stage.length > 0),
    conflicts,
    shadowed: policies.shadowed,
  }
}

const declares = ({ exchanges, queues }: Desired, absent: ReadonlySet<string>): Planned[] => [
  ...exchanges
    .filter(({ want }) => absent.has(objectText({ kind: 'exchange', name: want.name })))
    .map(({ owner, want }): Planned => ({ owner, change: { do: 'declare-exchange', exchange: want } })),
  ...queues
    .filter(({ want }) => absent.has(objectText({ kind: 'queue', name: want.name })))
    .map(({ owner, want }): Planned => ({ owner, change: { do: 'declare-queue', queue: want } })),
]

const binds = (wanted: Desired, observed: Observed, missing: ReadonlySet<string>): Planned[] => {
  const bound = new Set(observed.bindings.map(bindingKey))
  return wanted.bindings
    .filter(({ want }) => !bound.has(bindingKey(want)) && !endsOf(want).some((object) => missing.has(object)))
    .map(({ owner, want }): Planned => ({ owner, change: { do: 'bind', binding: want } }))
}

const unbinds = (wanted: Desired, observed: Observed): Planned[] => {
  const keep = new Set(wanted.bindings.map(({ want }) => bindingKey(want)))
  return observed.bindings.flatMap((binding) => {
    const owner = binding.arguments[ownerArgument]
    if (typeof owner !== 'string' || wanted.owners.get(owner) !== 'present' || keep.has(bindingKey(binding))) return []
    if (stillDelays(observed, binding.destination)) return []
    return [{ owner, change: { do: 'unbind', binding } }]
  })
}
