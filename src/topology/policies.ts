import { objectText, type Planned } from './change.ts'
import type { Desired } from './desired.ts'
import { ownerOfPolicy, policyName } from './names.ts'
import { classPolicyNames } from './objects.ts'
import { limitsOf, retentionPart, retentionPolicies } from './retention.ts'
import { isSeal } from './seals.ts'
import { type Observed, type Policy, policyKey } from './topology.ts'

/** What must be done to the policies of a virtual host. Seals are not among them. */
export type PolicyPlan = {
  /** Put what is missing or differs, delete what no resource wants. */
  readonly changes: readonly Planned[]
  /** Policies that RabbitMQ did not apply to what they match: to be deleted first and put again afterwards. */
  readonly missed: readonly WantedPolicy[]
  /** Queues and exchanges on which another policy is in force than the one declared. */
  readonly shadowed: readonly { readonly owner: string; readonly message: string }[]
}

type WantedPolicy = { readonly owner: string; readonly want: Policy }

/** What makes the policies of `observed` those of `wanted`; owners that are not `free` get no retention. */
export const policyPlan = (
  wanted: Desired,
  observed: Observed,
  free: (entry: { readonly owner: string }) => boolean,
): PolicyPlan => {
  const policies = wantedPolicies(wanted, observed, free)
  const suspects = notInForce(wanted, policies, observed)
  const missed = new Set(suspects.flatMap(({ expected, found }) => (found === '' ? expected.name : [])))
  return {
    changes: policyChanges(wanted, policies, observed),
    missed: policies.filter(({ want }) => missed.has(want.name)),
    shadowed: [...suspects.map(shadowedText), ...closedByOthers(wanted, observed)],
  }
}

const wantedPolicies = (
  { broker, policies, retentions }: Desired,
  { policies: present }: Observed,
  free: (entry: { readonly owner: string }) => boolean,
): readonly WantedPolicy[] => [
  ...policies,
  // They apply to queues by name, whichever resource declared them.
  ...retentionPolicies(broker, limitsOf(broker, retentions.filter(free), present)).map((want) => ({
    owner: broker,
    want,
  })),
]

const policyChanges = (
  { broker, owners }: Desired,
  policies: readonly WantedPolicy[],
  observed: Observed,
): Planned[] => {
  const found = new Map(observed.policies.map((policy) => [policy.name, policy]))
  const puts = policies
    .filter(({ want }) => !isSame(want, found.get(want.name)))
    .map(({ owner, want }): Planned => ({ owner, change: { do: 'put-policy', policy: want } }))
  const keep = new Set(policies.map(({ want }) => want.name))
  // What dead-letter queues keep is the Broker's to change even while it is being deleted: it is removed last.
  const isOurs = (name: string): boolean =>
    owners.get(ownerOfPolicy(name)) === 'present' ||
    name.startsWith(policyName(broker, `${retentionPart}:`)) ||
    // Older versions put one where the broker needs none.
    (classPolicyNames.has(name) && owners.get(broker) === 'present')
  const deletes = observed.policies
    .filter(({ name }) => !keep.has(name) && !isSeal(name) && isOurs(name))
    .map(({ name }): Planned => ({ owner: ownerOfPolicy(name), change: { do: 'delete-policy', policy: name } }))
  return [...puts, ...deletes]
}

const isSame = (want: Policy, found: Policy | undefined): boolean =>
  found !== undefined && policyKey(want) === policyKey(found)

/** Wanted queues that a seal keeps closed which is not this Broker's: those are put and taken away by `seals`. */
const closedByOthers = ({ broker, queues }: Desired, { states }: Observed): PolicyPlan['shadowed'] =>
  queues.flatMap(({ owner, want: { name } }) => {
    const found = states.get(name)?.policy ?? ''
    if (!isSeal(found) || ownerOfPolicy(found) === broker) return []
    return [
      { owner, message: `policy ${found} closes queue ${name}: delete it, unless the Broker that it names lives` },
    ]
  })

/** A queue or exchange on which the declared policy is not in force, but the one named `found`, or none where that is empty. */
type NotInForce = {
  readonly owner: string
  /** `queue shop.work` */
  readonly object: string
  readonly expected: Policy
  readonly found: string
}

/** RabbitMQ applies one policy to a queue or an exchange, so what was declared may not be what holds. */
const notInForce = (
  { queues, exchanges }: Desired,
  policies: readonly WantedPolicy[],
  { policies: present, states, exchangeStates }: Observed,
): readonly NotInForce[] => {
  const declared = policies
    .map(({ want }) => ({ ...want, matches: new RegExp(want.pattern) }))
    .sort((a, b) => b.priority - a.priority)
  const byName = new Map(present.map((policy) => [policy.name, policy]))
  const check =
    (kind: 'queue' | 'exchange', inForce: (name: string) => string | undefined) =>
    ({ owner, want: { name } }: { readonly owner: string; readonly want: { readonly name: string } }): NotInForce[] => {
      const found = inForce(name)
      const expected = declared.find(
        ({ applyTo, matches }) => (applyTo === 'all' || applyTo === `${kind}s`) && matches.test(name),
      )
      if (found === undefined || !expected || found === expected.name || isSeal(found)) return []
      const object = objectText({ kind, name })
      return isSame(expected, byName.get(expected.name)) ? [{ owner, object, expected, found }] : []
    }
  return [
    ...queues.flatMap(check('queue', (name) => states.get(name)?.policy)),
    ...exchanges.flatMap(check('exchange', (name) => exchangeStates.get(name)?.policy)),
  ]
}

const shadowedText = ({ owner, object, expected, found }: NotInForce) => {
  const { name, priority } = expected
  const message =
    found === ''
      ? `no policy is in force on ${object}: the broker did not apply ${name}; delete that policy, and Waybill puts it again`
      : `policy ${found} is in force on ${object} instead of ${name}: lower its priority below ${priority}, or narrow its pattern`
  return { owner, message }
}
