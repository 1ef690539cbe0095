import type { Change, Planned } from './change.ts'
import type { Desired, Owned } from './desired.ts'
import { ownerArgument, ownerOfPolicy, policyName, sealPart } from './names.ts'
import { retentionPart, retentionPolicies } from './retention.ts'
import { type Retiring, retire, type Times } from './retire.ts'
import type { Arguments, Binding, Exchange, Observed, Policy, Queue } from './topology.ts'

/** Something on the broker that stands in the way of a resource, and is left as it is. */
export type Conflict = {
  readonly owner: string
  readonly reason: 'ClaimedByAnother' | 'NotClaimed' | 'ImmutableArgument' | 'Pending'
  readonly message: string
}

export type Plan = Retiring & {
  /** In the order in which they must be made, stage by stage; within a stage in any order. */
  readonly stages: readonly (readonly Planned[])[]
  readonly conflicts: readonly Conflict[]
  /** Queues on which another policy is in force than the one declared. */
  readonly shadowed: readonly { readonly owner: string; readonly message: string }[]
  /** Queues and exchanges with a owner of ours whose resource is unknown. */
  readonly retained: readonly string[]
}

/** What must be done to make `observed` equal to `wanted`, and what stands in the way. */
export const diff = (wanted: Desired, observed: Observed, times: Times): Plan => {
  const conflicts: Conflict[] = []
  const blocked = new Set<string>()
  const declares: Planned[] = []
  const foundExchanges = new Map(observed.exchanges.map((exchange) => [exchange.name, exchange]))
  const foundQueues = new Map(observed.queues.map((queue) => [queue.name, queue]))

  const compare = <T extends Exchange | Queue>(
    what: 'exchange' | 'queue',
    { owner, adopt, want }: Owned<T>,
    found: { name: string; arguments: Arguments; type?: string } | undefined,
    declare: Change,
  ) => {
    if (found === undefined) {
      declares.push({ owner, change: declare })
      return
    }
    const conflict = conflictOf(wanted, what, owner, adopt, want, found)
    if (conflict === undefined) return
    conflicts.push(conflict)
    blocked.add(`${what} ${want.name}`)
  }
  for (const entry of wanted.exchanges) {
    const { want } = entry
    compare('exchange', entry, foundExchanges.get(want.name), { do: 'declare-exchange', exchange: want })
  }
  for (const entry of wanted.queues) {
    const { want } = entry
    compare('queue', entry, foundQueues.get(want.name), { do: 'declare-queue', queue: want })
  }

  // A resource does all or nothing: its policies would hold for what it does not own, and without its new bindings it
  // must keep the old ones. What all share is not for one to stop.
  const stopped = new Set(conflicts.map(({ owner }) => owner))
  const free = ({ owner }: { readonly owner: string }) => owner === wanted.broker || !stopped.has(owner)
  const missing = new Set(blocked)
  for (let before = -1; before !== stopped.size; ) {
    before = stopped.size
    for (const { owner, change } of declares) if (!free({ owner })) missing.add(declaredBy(change))
    for (const { owner, want } of wanted.bindings) {
      const inTheWay = endsOf(want).find((name) => missing.has(name))
      if (inTheWay === undefined || stopped.has(owner)) continue
      const message = `${inTheWay} is not what was declared: see the resource that declares it`
      conflicts.push({ owner, reason: 'Pending', message })
      stopped.add(owner)
    }
  }
  const bound = new Set(observed.bindings.map(bindingKey))
  const binds = wanted.bindings
    .filter(({ want }) => !bound.has(bindingKey(want)) && !endsOf(want).some((name) => missing.has(name)))
    .map(({ owner, want }): Planned => ({ owner, change: { do: 'bind', binding: want } }))

  const wantedPolicies = [
    ...wanted.policies,
    // They hold for queues by name, whoever declared those.
    ...retentionPolicies(wanted.broker, wanted.retentions.filter(free)).map((want) => ({ owner: wanted.broker, want })),
  ]
  const policies = policyChanges(wanted, wantedPolicies, observed)
  // RabbitMQ looks at its queues again when a policy changes, not when the same is put once more.
  const missedOrShadowed = notInForce(wanted, wantedPolicies, observed)
  const missed = new Set(missedOrShadowed.flatMap(({ expected, found }) => (found === '' ? expected.name : [])))
  const again = wantedPolicies.filter(({ want }) => missed.has(want.name))
  const unput = again.map(({ owner, want }): Planned => ({ owner, change: { do: 'delete-policy', policy: want.name } }))
  const put = again.map(({ owner, want }): Planned => ({ owner, change: { do: 'put-policy', policy: want } }))
  const retiring = retire(wanted, observed, times)
  return {
    ...retiring,
    stages: [
      // A queue that is being declared while its policy is put may miss it for ever. And each policy that is put is
      // matched against all queues that are there: with a thousand of both that takes minutes.
      [...retiring.sealing, ...policies, ...unput].filter(free),
      declares.filter(free),
      [...put, ...binds].filter(free),
      [...unbinds(wanted, observed).filter(free), ...retiring.changes],
    ].filter((stage) => stage.length > 0),
    conflicts,
    shadowed: missedOrShadowed.map(shadowed),
    retained: retained(wanted, observed),
  }
}

const endsOf = ({ source, destination }: Binding): string[] => [`exchange ${source}`, `queue ${destination}`]

const declaredBy = (change: Change): string =>
  change.do === 'declare-exchange'
    ? `exchange ${change.exchange.name}`
    : change.do === 'declare-queue'
      ? `queue ${change.queue.name}`
      : ''

/** `undefined` where the object is the one wanted. */
const conflictOf = (
  { instance, broker }: Desired,
  what: 'exchange' | 'queue',
  owner: string,
  adopt: boolean,
  want: Exchange | Queue,
  found: { name: string; arguments: Arguments; type?: string },
): Conflict | undefined => {
  const holder = found.arguments[ownerArgument]
  const name = `${what} ${want.name}`
  // Several Brokers may share a virtual host: each may use what another one of the same instance made.
  const shared = owner === broker && typeof holder === 'string' && holder.startsWith(`${instance}:Broker/`)
  if (holder === owner || shared) {
    const differences = differencesOf(want, found)
    if (differences.length === 0) return undefined
    const message = `${name} exists with other immutable arguments (${differences.join('; ')}): delete it once it is empty, or choose another name`
    return { owner, reason: 'ImmutableArgument', message }
  }
  if (holder !== undefined) {
    return { owner, reason: 'ClaimedByAnother', message: `${name} belongs to ${holder}: choose another name` }
  }
  if (!adopt) {
    const message = `${name} exists and was not declared by Waybill: set spec.adopt to use it, or choose another name`
    return { owner, reason: 'NotClaimed', message }
  }
  if ('type' in want && want.type !== found.type) {
    return {
      owner,
      reason: 'ImmutableArgument',
      message: `${name} has type ${found.type}, not ${want.type}: choose another name`,
    }
  }
  return undefined
}

const differencesOf = (want: Exchange | Queue, found: { arguments: Arguments; type?: string }): string[] => {
  const differences: string[] = []
  if ('type' in want && want.type !== found.type) differences.push(`type is ${found.type}, wanted ${want.type}`)
  for (const key of new Set([...Object.keys(want.arguments), ...Object.keys(found.arguments)])) {
    const [is, wanted] = [found.arguments[key], want.arguments[key]]
    if (key !== ownerArgument && is !== wanted)
      differences.push(`${key} is ${is ?? 'not set'}, wanted ${wanted ?? 'not set'}`)
  }
  return differences
}

/** Arguments are part of a binding's identity. */
export const bindingKey = ({ source, destination, routingKey, arguments: args }: Binding): string =>
  JSON.stringify([source, destination, routingKey, sorted(args)])

const sorted = (args: Arguments) => Object.entries(args).sort(([a], [b]) => (a < b ? -1 : 1))

const unbinds = (wanted: Desired, observed: Observed): Planned[] => {
  const keep = new Set(wanted.bindings.map(({ want }) => bindingKey(want)))
  return observed.bindings.flatMap((binding) => {
    const owner = binding.arguments[ownerArgument]
    if (typeof owner !== 'string' || wanted.owners.get(owner) !== 'present' || keep.has(bindingKey(binding))) return []
    return [{ owner, change: { do: 'unbind', binding } }]
  })
}

type WantedPolicies = readonly { readonly owner: string; readonly want: Policy }[]

const policyChanges = ({ broker, owners }: Desired, policies: WantedPolicies, observed: Observed): Planned[] => {
  const found = new Map(observed.policies.map((policy) => [policy.name, policy]))
  const puts = policies
    .filter(({ want }) => !samePolicy(want, found.get(want.name)))
    .map(({ owner, want }): Planned => ({ owner, change: { do: 'put-policy', policy: want } }))
  const keep = new Set(policies.map(({ want }) => want.name))
  // What dead-letter queues keep is the Broker's to change even while it goes: it goes last.
  const isOurs = (name: string): boolean =>
    owners.get(ownerOfPolicy(name)) === 'present' || name.startsWith(policyName(broker, `${retentionPart}:`))
  const deletes = observed.policies
    .filter(({ name }) => !keep.has(name) && !name.includes(`#${sealPart}`) && isOurs(name))
    .map(({ name }): Planned => ({ owner: ownerOfPolicy(name), change: { do: 'delete-policy', policy: name } }))
  return [...puts, ...deletes]
}

const samePolicy = (want: Policy, found: Policy | undefined): boolean =>
  found !== undefined &&
  found.pattern === want.pattern &&
  found.applyTo === want.applyTo &&
  found.priority === want.priority &&
  JSON.stringify(sorted(found.definition)) === JSON.stringify(sorted(want.definition))

/** Only one policy applies to a queue, so what was declared may not be what holds: `found`, or none where that is empty. */
const notInForce = (wanted: Desired, policies: WantedPolicies, observed: Observed) => {
  const declared = policies
    .filter(({ want }) => want.applyTo !== 'exchanges')
    .map(({ want }) => ({ ...want, matches: new RegExp(want.pattern) }))
    .sort((a, b) => b.priority - a.priority)
  const present = new Map(observed.policies.map((policy) => [policy.name, policy]))
  return wanted.queues.flatMap(({ owner, want: { name } }) => {
    const found = observed.states.get(name)?.policy
    const expected = declared.find(({ matches }) => matches.test(name))
    if (found === undefined || !expected || found === expected.name) return []
    if (!samePolicy(expected, present.get(expected.name))) return []
    return found.includes(`#${sealPart}`) ? [] : [{ owner, queue: name, expected, found }]
  })
}

const shadowed = ({ owner, queue, expected, found }: ReturnType<typeof notInForce>[number]) => {
  const { name, priority } = expected
  const message =
    found === ''
      ? `no policy is in force on queue ${queue}, which the broker missed when ${name} was put: delete that policy, and it is put again`
      : `policy ${found} is in force on queue ${queue} instead of ${name}: lower its priority below ${priority}, or narrow its pattern`
  return { owner, message }
}

const retained = ({ instance, owners }: Desired, { queues, exchanges }: Observed): string[] => {
  const known = (args: Arguments): boolean => {
    const owner = args[ownerArgument]
    return typeof owner !== 'string' || !owner.startsWith(`${instance}:`) || owners.has(owner)
  }
  return [
    ...queues.filter((queue) => !known(queue.arguments)).map(({ name }) => `queue ${name}`),
    ...exchanges.filter((exchange) => !known(exchange.arguments)).map(({ name }) => `exchange ${name}`),
  ].sort() // The broker lists in no order, and a status that only changed places would be written again.
}
