import type { Desired, Presence } from './desired.ts'
import type { Planned } from './diff.ts'
import { fences } from './seals.ts'
import { delayPrefix, ownerArgument, returnExchange } from './names.ts'
import type { Arguments, Observed, Queue } from './topology.ts'

/**
 * How objects go that no resource wants any more. A queue that may hold messages is deleted only after it was cut off,
 * fenced, seen empty for `settleMs`, and found empty by its leader in the moment of deletion; RabbitMQ has no atomic
 * "delete if empty" for quorum queues (rabbitmq-server#10543) and its counts are up to five seconds old.
 */
export type Retiring = {
  readonly changes: readonly Planned[]
  /** Come before anything is declared, for a fence that is left over would hold for it too. */
  readonly fencing: readonly Planned[]
  /** Claims of deleted resources with nothing left to do, and what stays on the broker because it may hold messages. */
  readonly gone: ReadonlyMap<string, readonly string[]>
  /** Claims of deleted resources that need another look. */
  readonly waiting: ReadonlySet<string>
  /** Queues seen fenced and with nothing to hold them, for `Times` of the next pass. */
  readonly quiet: ReadonlySet<string>
}

export type Times = {
  readonly now: number
  /** Since when, in milliseconds, each queue has been seen quiet without a break. */
  readonly quietSince: ReadonlyMap<string, number>
  /** Since when each claim has been seen going. */
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
  const byClaim = {
    bindings: grouped(observed.bindings),
    queues: grouped(observed.queues),
    exchanges: grouped(observed.exchanges),
  }

  const isBusy = ({ name }: Queue): boolean => messagesIn(observed, name) > 0 || bound.has(name)

  const retireOwner = (claim: string, how: Exclude<Presence, 'present'>) => {
    const own = byClaim.bindings.get(claim) ?? []
    const bindings = own.filter(({ source }) => source !== returnExchange)
    const returns = own.filter(({ source }) => source === returnExchange)
    const queues = byClaim.queues.get(claim) ?? []
    const exchanges = byClaim.exchanges.get(claim) ?? []
    const policies = observed.policies.filter(({ name }) => name === claim)
    const left = [...queues.map(({ name }) => `queue ${name}`), ...exchanges.map(({ name }) => `exchange ${name}`)]
    const before = changes.length

    if (how === 'RetainIfNotEmpty' && bindings.length > 0) {
      for (const binding of bindings) changes.push({ claim, change: { do: 'unbind', binding } })
    } else if (how === 'RetainIfNotEmpty' && queues.length > 0) {
      // Counts may be stale, so what looks full is looked at again for a while.
      const fresh = times.now - (times.goingSince.get(claim) ?? times.now) >= settleMs
      // A delayed message may belong to any queue, so all stay while one is delayed.
      const busy = ladderBusy || queues.some(isBusy)
      if (!busy) for (const { name } of queues) idle.set(name, claim)
      if (!busy || !fresh) waiting.add(claim)
    } else if (how !== 'Retain') {
      // Those to a queue of its own go with it; a queue of somebody else stays.
      for (const binding of returns) {
        if (!queues.some(({ name }) => name === binding.destination))
          changes.push({ claim, change: { do: 'unbind', binding } })
      }
      for (const { name } of queues) {
        changes.push({ claim, change: { do: 'delete-queue', queue: name, only: 'whatever-it-holds' } })
      }
      for (const { name } of exchanges) changes.push({ claim, change: { do: 'delete-exchange', exchange: name } })
      for (const { name } of policies) changes.push({ claim, change: { do: 'delete-policy', policy: name } })
    }
    if (changes.length > before) waiting.add(claim)
    if (!waiting.has(claim)) gone.set(claim, left)
  }

  for (const [claim, how] of wanted.owners) if (how !== 'present') retireOwner(claim, how)

  const wantedExchanges = new Set(wanted.exchanges.map(({ want }) => want.name))
  const wantedQueues = new Set(wanted.queues.map(({ want }) => want.name))
  const isUnwanted = (object: Named, keep: ReadonlySet<string>): boolean =>
    wanted.owners.get(claimOn(object)) === 'present' && !keep.has(object.name)
  for (const exchange of observed.exchanges) {
    if (!isUnwanted(exchange, wantedExchanges)) continue
    changes.push({ claim: claimOn(exchange), change: { do: 'delete-exchange', exchange: exchange.name } })
  }
  for (const queue of observed.queues) {
    if (isUnwanted(queue, wantedQueues) && !isBusy(queue)) idle.set(queue.name, claimOn(queue))
  }

  const { closed, changes: fencing } = fences(wanted, observed, new Set(idle.keys()))
  for (const [name, claim] of idle) {
    if (!closed.has(name) || times.now - (times.quietSince.get(name) ?? times.now) < settleMs) continue
    changes.push({ claim, change: { do: 'delete-queue', queue: name, only: 'if-empty' } })
  }
  if (fencing.length > 0 && gone.delete(wanted.broker)) waiting.add(wanted.broker)
  return { changes, fencing, gone, waiting, quiet: closed }
}

type Named = { readonly name: string; readonly arguments: Arguments }

const claimOn = ({ arguments: args }: { readonly arguments: Arguments }): string => String(args[ownerArgument])
const grouped = <T extends { readonly arguments: Arguments }>(objects: readonly T[]) => Map.groupBy(objects, claimOn)

/** Unknown counts as one: what cannot be counted is not empty. */
const messagesIn = ({ states }: Observed, queue: string): number => {
  const state = states.get(queue)
  return state?.state === 'running' ? state.messages : 1
}
