import type { Planned } from './change.ts'
import type { Desired, Presence } from './desired.ts'
import type { Removals } from './health/removals.ts'
import { delayPrefix, ownerArgument, returnExchange } from './names.ts'
import { isSeal, sealedLetsIn, seals } from './seals.ts'
import type { Arguments, Observed, Queue } from './topology.ts'

/**
 * How objects that no resource wants any more are removed. A queue that may hold messages is deleted only after it was
 * unbound, sealed, seen empty for `settleMs`, and found empty by its leader in the moment of deletion; RabbitMQ has no
 * atomic "delete if empty" for quorum queues (rabbitmq-server#10543) and its counts are up to five seconds old.
 */
export type Retiring = {
  readonly changes: readonly Planned[]
  /** Made before anything is declared, because a seal that is left over would close new objects too. */
  readonly sealing: readonly Planned[]
  /** Owners of deleted resources with nothing left to do, and what stays on the broker because it may hold messages. */
  readonly gone: ReadonlyMap<string, readonly string[]>
  /** Owners of deleted resources that need another reconcile. */
  readonly waiting: ReadonlySet<string>
  /** Queues seen sealed and with nothing to hold them, for `Times` of the next reconcile. */
  readonly quiet: ReadonlySet<string>
}

/** What earlier reconciles have seen, and when; all in milliseconds since 1970. */
export type Times = {
  readonly now: number
  /** Since when, in milliseconds, each queue has been seen quiet without a break. */
  readonly quietSince: ReadonlyMap<string, number>
  /** Since when, in milliseconds, each owner has been seen as being deleted. */
  readonly goingSince: ReadonlyMap<string, number>
  /** Owners whose resources are gone, and which left queues behind that held messages then. */
  readonly leftBehind?: ReadonlySet<string>
  /** What is removed because the Broker asks for it. */
  readonly removals?: Removals
}

/** Longer than the interval at which RabbitMQ refreshes its counts (collect_statistics_interval, 5 s). */
export const settleMs = 6_000

/** So long it is tried whether there is more in a queue than plugs: two rounds of seeing it quiet. */
const triedMs = 3 * settleMs

/** The changes that remove the objects of deleted resources, and those that present resources no longer want. */
export const retire = (wanted: Desired, observed: Observed, times: Times): Retiring => {
  const view = viewOf(observed)
  const changes: Planned[] = []
  const gone = new Map<string, readonly string[]>()
  const waiting = new Set<string>()
  /** Idle queues that no resource wants, and their owners. */
  const idle = new Map<string, string>()
  /** Those that are kept closed with them, and not deleted yet. */
  const held: string[] = []

  const behind = new Map([...(times.leftBehind ?? [])].map((owner) => [owner, howLeft(owner, view)] as const))
  const without = [...behind, ...(times.removals ?? [])].filter(([owner]) => !wanted.owners.has(owner))
  const going = new Map([...wanted.owners, ...without])
  for (const [owner, how] of going) {
    if (how === 'present') continue
    const step = retireOwner(owner, how, view, times)
    changes.push(...step.changes)
    for (const name of step.idle) idle.set(name, owner)
    held.push(...step.held)
    if (step.waits) waiting.add(owner)
    else gone.set(owner, step.left)
  }
  const unwanted = unwantedOf(wanted, observed)
  for (const exchange of unwanted.exchanges) {
    changes.push({ owner: ownerOn(exchange), change: { do: 'delete-exchange', exchange: exchange.name } })
  }
  for (const queue of unwanted.queues) if (!view.isBusy(queue)) idle.set(queue.name, ownerOn(queue))

  const { closed, changes: sealing } = seals(wanted, observed, new Set([...idle.keys(), ...held]))
  for (const [name, owner] of idle) {
    if (!closed.has(name) || times.now - (times.quietSince.get(name) ?? times.now) < settleMs) continue
    const type = view.typeOf(name)
    const change = { do: 'delete-queue', queue: name, only: 'if-empty' } as const
    changes.push({ owner, change: type === undefined ? change : { ...change, type } })
  }
  if (sealing.length > 0 && gone.delete(wanted.broker)) waiting.add(wanted.broker)
  return { changes, sealing, gone, waiting, quiet: closed }
}

/** What the broker has, by owner, and which queues something may still come into. */
const viewOf = (observed: Observed) => {
  const bound = new Set(
    observed.bindings.flatMap(({ source, destination }) => (source === returnExchange ? [] : [destination])),
  )
  const sealed = observed.policies.filter(({ name }) => isSeal(name)).map(({ pattern }) => new RegExp(pattern))
  const argumentsOf = new Map(observed.queues.map((queue) => [queue.name, queue.arguments]))
  return {
    typeOf: (name: string): 'classic' | 'delay' | undefined => {
      if (argumentsOf.get(name)?.['x-queue-type'] !== 'quorum') return 'classic'
      return argumentsOf.get(name)?.['x-message-ttl'] === undefined ? undefined : 'delay'
    },
    bindings: byOwnerOf(observed.bindings),
    queues: byOwnerOf(observed.queues),
    exchanges: byOwnerOf(observed.exchanges),
    policies: observed.policies,
    isBusy: ({ name }: Queue): boolean => messagesIn(observed, name) > 0 || bound.has(name),
    /**
     * Whether all that is in it may be what an operator that was killed has plugged it with: it is sealed, which only a deletion
     * does. Whoever deletes it takes that out first.
     */
    mayBePlugged: ({ name }: Queue): boolean =>
      !bound.has(name) && messagesIn(observed, name) <= sealedLetsIn && sealed.some((pattern) => pattern.test(name)),
  }
}

type View = ReturnType<typeof viewOf>

/** One step of the deletion of one owner's objects. */
type Step = {
  readonly changes: readonly Planned[]
  /** Queues of it that may be sealed and deleted. */
  readonly idle: readonly string[]
  /** Queues of it that are kept sealed while it is not known whether those above can be deleted. */
  readonly held: readonly string[]
  /** Whether another reconcile is needed after these changes. */
  readonly waits: boolean
  /** What it has on the broker. */
  readonly left: readonly string[]
}

const retireOwner = (owner: string, how: Exclude<Presence, 'present'>, view: View, times: Times): Step => {
  const bindings = (view.bindings.get(owner) ?? []).filter(({ source }) => source !== returnExchange)
  const queues = view.queues.get(owner) ?? []
  const exchanges = view.exchanges.get(owner) ?? []
  const left = [...queues.map(({ name }) => `queue ${name}`), ...exchanges.map(({ name }) => `exchange ${name}`)]
  if (how === 'Retain') return { changes: [], idle: [], held: [], waits: false, left }
  if (how === 'RetainIfNotEmpty' && bindings.length > 0) {
    const changes = bindings.map((binding): Planned => ({ owner, change: { do: 'unbind', binding } }))
    return { changes, idle: [], held: [], waits: true, left }
  }
  if (how === 'RetainIfNotEmpty' && queues.length > 0) {
    // Counts may be stale, so what looks full is observed again for a while.
    const sinceMs = times.now - (times.goingSince.get(owner) ?? times.now)
    const settled = sinceMs >= settleMs
    // Delayed messages may belong to anybody. Those of this owner are kept with the orphans, and put back if it comes back.
    const busy = queues.filter(view.isBusy)
    const isTried = sinceMs < triedMs && busy.every(view.mayBePlugged)
    if (busy.length > 0 && !isTried) return { changes: [], idle: [], held: [], waits: !settled, left }
    const [tried, others] = busy.length === 0 ? [queues, []] : [busy, queues.filter((queue) => !busy.includes(queue))]
    return { changes: [], idle: tried.map(nameOf), held: others.map(nameOf), waits: true, left }
  }
  const changes = deletions(owner, view)
  return { changes, idle: [], held: [], waits: changes.length > 0, left }
}

const derived = /^waybill\.(sub|retry|dlq|unrouted)\./

/** Somebody may go on using a queue under a name that was chosen, so whatever its owner left then stays. */
const howLeft = (owner: string, view: View): 'Retain' | 'RetainIfNotEmpty' =>
  (view.queues.get(owner) ?? []).every(({ name }) => derived.test(name)) ? 'RetainIfNotEmpty' : 'Retain'

/** Everything of an owner, whatever it holds. */
const deletions = (owner: string, view: View): readonly Planned[] => {
  const queues = view.queues.get(owner) ?? []
  const own = new Set(queues.map(({ name }) => name))
  // Bindings to a queue of its own are deleted with it; a queue of another owner stays.
  const returns = (view.bindings.get(owner) ?? []).filter(
    ({ source, destination }) => source === returnExchange && !own.has(destination),
  )
  const policies = view.policies.filter(({ name }) => name === owner)
  return [
    ...returns.map((binding): Planned => ({ owner, change: { do: 'unbind', binding } })),
    ...queues.map(
      ({ name }): Planned => ({ owner, change: { do: 'delete-queue', queue: name, only: 'whatever-it-holds' } }),
    ),
    ...(view.exchanges.get(owner) ?? []).map(
      ({ name }): Planned => ({ owner, change: { do: 'delete-exchange', exchange: name } }),
    ),
    ...policies.map(({ name }): Planned => ({ owner, change: { do: 'delete-policy', policy: name } })),
  ]
}

/** Objects of present resources that these do not want any more. */
const unwantedOf = (wanted: Desired, observed: Observed) => {
  const exchanges = new Set(wanted.exchanges.map(({ want }) => want.name))
  const queues = new Set(wanted.queues.map(({ want }) => want.name))
  const isUnwanted = (object: Named, keep: ReadonlySet<string>): boolean =>
    wanted.owners.get(ownerOn(object)) === 'present' && !keep.has(object.name)
  return {
    exchanges: observed.exchanges.filter(
      (exchange) => isUnwanted(exchange, exchanges) && !isLevel(observed, exchange.name),
    ),
    queues: observed.queues.filter((queue) => isUnwanted(queue, queues)),
  }
}

type Named = { readonly name: string; readonly arguments: Arguments }

const nameOf = ({ name }: Named): string => name

const ownerOn = ({ arguments: args }: { readonly arguments: Arguments }): string => String(args[ownerArgument])
const byOwnerOf = <T extends { readonly arguments: Arguments }>(objects: readonly T[]) => Map.groupBy(objects, ownerOn)

/** Whether a level of the delay ladder is there. An exchange that is gone ends the channel of whoever publishes to it. */
const isLevel = ({ queues }: Observed, name: string): boolean =>
  name.startsWith(delayPrefix) && queues.some((queue) => queue.name === name)

/**
 * Whether messages wait in this level. One that the ladder has no more stays bound meanwhile: a dispatcher of an older version
 * may still publish to it.
 */
export const stillDelays = (observed: Observed, name: string): boolean =>
  isLevel(observed, name) && messagesIn(observed, name) > 0

/** Unknown counts as one: what cannot be counted is not empty. */
const messagesIn = ({ states }: Observed, queue: string): number => {
  const state = states.get(queue)
  return state?.state === 'running' ? state.messages : 1
}
