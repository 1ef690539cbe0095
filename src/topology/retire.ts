import type { Planned } from './change.ts'
import type { Desired, Presence } from './desired.ts'
import { delayPrefix, ownerArgument, returnExchange } from './names.ts'
import { seals } from './seals.ts'
import type { Arguments, Observed, Queue } from './topology.ts'

/**
 * How objects go that no resource wants any more. A queue that may hold messages is deleted only after it was cut off,
 * sealed, seen empty for `settleMs`, and found empty by its leader in the moment of deletion; RabbitMQ has no atomic
 * "delete if empty" for quorum queues (rabbitmq-server#10543) and its counts are up to five seconds old.
 */
export type Retiring = {
  readonly changes: readonly Planned[]
  /** Come before anything is declared, for a seal that is left over would hold for it too. */
  readonly sealing: readonly Planned[]
  /** Claims of deleted resources with nothing left to do, and what stays on the broker because it may hold messages. */
  readonly gone: ReadonlyMap<string, readonly string[]>
  /** Claims of deleted resources that need another look. */
  readonly waiting: ReadonlySet<string>
  /** Queues seen sealed and with nothing to hold them, for `Times` of the next pass. */
  readonly quiet: ReadonlySet<string>
}

export type Times = {
  readonly now: number
  /** Since when, in milliseconds, each queue has been seen quiet without a break. */
  readonly quietSince: ReadonlyMap<string, number>
  /** Since when each owner has been seen going. */
  readonly goingSince: ReadonlyMap<string, number>
}

/** Longer than the interval at which RabbitMQ refreshes its counts (collect_statistics_interval, 5 s). */
export const settleMs = 6_000

export const retire = (wanted: Desired, observed: Observed, times: Times): Retiring => {
  const changes: Planned[] = []
  const gone = new Map<string, string[]>()
  const waiting = new Set<string>()
  const ladderBusy = observed.queues.some(({ name }) => name.startsWith(delayPrefix) && messagesIn(observed, name) > 0)
  /** Idle queues that nobody wants, and whose they are. */
  const idle = new Map<string, string>()
  const bound = new Set(
    observed.bindings.flatMap(({ source, destination }) => (source === returnExchange ? [] : [destination])),
  )
  const byOwner = {
    bindings: byOwnerOf(observed.bindings),
    queues: byOwnerOf(observed.queues),
    exchanges: byOwnerOf(observed.exchanges),
  }

  const isBusy = ({ name }: Queue): boolean => messagesIn(observed, name) > 0 || bound.has(name)

  const retireOwner = (owner: string, how: Exclude<Presence, 'present'>) => {
    const own = byOwner.bindings.get(owner) ?? []
    const bindings = own.filter(({ source }) => source !== returnExchange)
    const returns = own.filter(({ source }) => source === returnExchange)
    const queues = byOwner.queues.get(owner) ?? []
    const exchanges = byOwner.exchanges.get(owner) ?? []
    const policies = observed.policies.filter(({ name }) => name === owner)
    const left = [...queues.map(({ name }) => `queue ${name}`), ...exchanges.map(({ name }) => `exchange ${name}`)]
    const before = changes.length

    if (how === 'RetainIfNotEmpty' && bindings.length > 0) {
      for (const binding of bindings) changes.push({ owner, change: { do: 'unbind', binding } })
    } else if (how === 'RetainIfNotEmpty' && queues.length > 0) {
      // Counts may be stale, so what looks full is looked at again for a while.
      const fresh = times.now - (times.goingSince.get(owner) ?? times.now) >= settleMs
      // A delayed message may belong to any queue, so all stay while one is delayed.
      const busy = ladderBusy || queues.some(isBusy)
      if (!busy) for (const { name } of queues) idle.set(name, owner)
      if (!busy || !fresh) waiting.add(owner)
    } else if (how !== 'Retain') {
      // Those to a queue of its own go with it; a queue of somebody else stays.
      for (const binding of returns) {
        if (!queues.some(({ name }) => name === binding.destination))
          changes.push({ owner, change: { do: 'unbind', binding } })
      }
      for (const { name } of queues) {
        changes.push({ owner, change: { do: 'delete-queue', queue: name, only: 'whatever-it-holds' } })
      }
      for (const { name } of exchanges) changes.push({ owner, change: { do: 'delete-exchange', exchange: name } })
      for (const { name } of policies) changes.push({ owner, change: { do: 'delete-policy', policy: name } })
    }
    if (changes.length > before) waiting.add(owner)
    if (!waiting.has(owner)) gone.set(owner, left)
  }

  for (const [owner, how] of wanted.owners) if (how !== 'present') retireOwner(owner, how)

  const wantedExchanges = new Set(wanted.exchanges.map(({ want }) => want.name))
  const wantedQueues = new Set(wanted.queues.map(({ want }) => want.name))
  const isUnwanted = (object: Named, keep: ReadonlySet<string>): boolean =>
    wanted.owners.get(ownerOn(object)) === 'present' && !keep.has(object.name)
  for (const exchange of observed.exchanges) {
    if (!isUnwanted(exchange, wantedExchanges)) continue
    changes.push({ owner: ownerOn(exchange), change: { do: 'delete-exchange', exchange: exchange.name } })
  }
  for (const queue of observed.queues) {
    if (isUnwanted(queue, wantedQueues) && !isBusy(queue)) idle.set(queue.name, ownerOn(queue))
  }

  const { closed, changes: sealing } = seals(wanted, observed, new Set(idle.keys()))
  for (const [name, owner] of idle) {
    if (!closed.has(name) || times.now - (times.quietSince.get(name) ?? times.now) < settleMs) continue
    changes.push({ owner, change: { do: 'delete-queue', queue: name, only: 'if-empty' } })
  }
  if (sealing.length > 0 && gone.delete(wanted.broker)) waiting.add(wanted.broker)
  return { changes, sealing, gone, waiting, quiet: closed }
}

type Named = { readonly name: string; readonly arguments: Arguments }

const ownerOn = ({ arguments: args }: { readonly arguments: Arguments }): string => String(args[ownerArgument])
const byOwnerOf = <T extends { readonly arguments: Arguments }>(objects: readonly T[]) => Map.groupBy(objects, ownerOn)

/** Unknown counts as one: what cannot be counted is not empty. */
const messagesIn = ({ states }: Observed, queue: string): number => {
  const state = states.get(queue)
  return state?.state === 'running' ? state.messages : 1
}
