import { milliseconds } from '../../api/duration.ts'
import { type Broker, manages } from '../../api/kinds/broker.ts'
import { BrokerError } from '../../rabbit/broker-error.ts'
import type { Management } from '../../rabbit/management/management.ts'
import { changeText, type Planned } from '../../topology/change.ts'
import { type Desired, desired } from '../../topology/desired.ts'
import { dialectOf, isSupported, oldestSupported } from '../../topology/dialect.ts'
import { diff, type Plan } from '../../topology/diff.ts'
import { removalsOf } from '../../topology/health/removals.ts'
import { retainedOn } from '../../topology/health/retained.ts'
import { type HeldBack, heldBack, type StalledLevel, stalledLevels } from '../../topology/health/stalled-levels.ts'
import { delayPrefix } from '../../topology/names.ts'
import { noOwners, type Owners, ownersOf } from '../../topology/owners.ts'
import type { Attached } from '../../topology/references.ts'
import { settleMs } from '../../topology/retire.ts'
import type { Observed } from '../../topology/topology.ts'
import { type Applied, applyAll } from './apply-all.ts'
import { keysOf } from './drift.ts'

/** What is remembered of a broker from one reconcile to the next. */
export type Memory = {
  readonly lastSeen: ReadonlySet<string>
  readonly owners: Owners
  readonly quietSince: ReadonlyMap<string, number>
  readonly goingSince: ReadonlyMap<string, number>
  /** Owners whose resources are gone and whose queues are deleted once they are empty. A restart forgets them. */
  readonly leftBehind: ReadonlySet<string>
  /** By name of the level. */
  readonly heldBack: ReadonlyMap<string, HeldBack>
}

export const noMemory: Memory = {
  lastSeen: new Set(),
  owners: noOwners,
  quietSince: new Map(),
  goingSince: new Map(),
  leftBehind: new Set(),
  heldBack: new Map(),
}

export type Converged = {
  readonly wanted: Desired
  /** What is still to be done, after all that can be applied was applied and read back. */
  readonly plan: Plan
  readonly observed: Observed
  readonly applied: readonly Applied[]
  /** Every change that was planned. */
  readonly planned: readonly Planned[]
  readonly memory: Memory
  /** Levels of the delay ladder that stand still. */
  readonly stalled: readonly StalledLevel[]
}

export class UnsupportedVersion extends Error {
  override readonly name = 'UnsupportedVersion'
}

export type ConvergeOptions = {
  readonly attached: Attached
  readonly instance: string
  readonly management: Management
  /** Whether the resource of this owner is there, or may be, of this Broker or not. */
  readonly isLiving: (owner: string) => boolean
  /** Of the last reconcile. */
  readonly memory: Memory
  /** In ms since 1970. */
  readonly now: number
  /** Resolves when changes for this owner may be made. */
  readonly mayDeclare: (owner: string) => Promise<void>
}

/**
 * Makes a broker equal to what its resources want: observe, plan, apply, and read back, so that what is reported was seen.
 *
 * @throws BrokerError when the broker cannot be read or goes away; UnsupportedVersion
 */
export const converge = async (options: ConvergeOptions, signal: AbortSignal): Promise<Converged> => {
  const { attached, instance, management, memory, now, isLiving } = options
  const before = await observe(management, signal)
  const wanted = desired(attached, instance, dialectOf(before.version), ownersOf(before))
  const retained = retainedOn(instance, before, (owner) => isLiving(owner) || wanted.owners.has(owner))
  const removals = removalsOf(attached.broker, instance, retained, wanted)
  const goingSince = since([...goingOf(wanted), ...memory.leftBehind, ...removals.keys()], memory.goingSince, now)
  const planFor = (observed: Observed, quietSince: Memory['quietSince']): Plan =>
    diff(wanted, observed, { now, quietSince, goingSince, leftBehind: memory.leftBehind, removals })

  const todo = planFor(before, memory.quietSince)
  const planned = todo.stages.flat()
  const isApplied = planned.length > 0 && manages(attached.broker)
  const applied = isApplied ? await apply(todo, options, signal) : []
  const observed = isApplied ? await management.observe(signal) : before
  const plan = isApplied ? planFor(observed, new Map()) : todo

  const quietSince = since(plan.quiet, memory.quietSince, now)
  const held = heldBack(observed, memory.heldBack, now)
  const seen = { lastSeen: keysOf(observed), owners: ownersOf(observed), heldBack: held }
  const stalled = stalledLevels(observed, held, now)
  const leftBehind = leavingBehind(wanted, plan, memory.leftBehind)
  const remembered = { ...seen, quietSince, goingSince, leftBehind }
  return { wanted, plan, observed, applied, planned, stalled, memory: remembered }
}

/** What `deletionPolicy: RetainIfNotEmpty` leaves on the broker because it holds messages, now and before. */
const leavingBehind = (
  { owners, broker }: Desired,
  { gone, waiting }: Plan,
  before: ReadonlySet<string>,
): ReadonlySet<string> => {
  const isLeft = (owner: string): boolean => (gone.get(owner)?.length ?? 0) > 0 || waiting.has(owner)
  const now = [...owners].flatMap(([owner, how]) => (how === 'RetainIfNotEmpty' && owner !== broker ? [owner] : []))
  return new Set([...now, ...[...before].filter((owner) => !owners.has(owner))].filter(isLeft))
}

const observe = async (management: Management, signal: AbortSignal): Promise<Observed> => {
  // A cheap request detects a dead broker sooner than a full read.
  await management.probe(signal)
  const observed = await management.observe(signal)
  if (isSupported(observed.version)) return observed
  throw new UnsupportedVersion(
    `RabbitMQ ${observed.version} is older than ${oldestSupported}, the oldest that can delay messages safely: upgrade it`,
  )
}

const apply = (
  { stages }: Plan,
  { management, mayDeclare }: ConvergeOptions,
  signal: AbortSignal,
): Promise<readonly Applied[]> =>
  applyAll(
    stages,
    async ({ owner, change }) => {
      await mayDeclare(owner)
      signal.throwIfAborted()
      await management.apply(change, signal)
    },
    isAway,
  )

/** Whether nothing else can succeed either; a refusal or failure of one object concerns its owner alone. */
const isAway = (error: unknown): boolean =>
  !(error instanceof BrokerError) || error.kind === 'unreachable' || error.kind === 'tls'

/** Owners whose resources are deleted, or on their way out. */
const goingOf = ({ owners }: Desired): string[] =>
  [...owners].flatMap(([owner, how]) => (how === 'present' ? [] : [owner]))

/** By owner, which change failed and why; a queue that turned out not to be empty does not count. */
export const failuresOf = (applied: readonly Applied[]): ReadonlyMap<string, string> =>
  new Map(
    applied.flatMap(({ planned, error }) =>
      error === undefined || (error instanceof BrokerError && error.kind === 'not-empty')
        ? []
        : [
            [
              planned.owner,
              `${changeText(planned.change)}: ${error instanceof Error ? error.message : error}`,
            ] as const,
          ],
    ),
  )

/** While messages are delayed, so that a level that stands still is seen within a minute. */
const delayingMs = 30_000

const isDelaying = ({ states }: Observed): boolean =>
  [...states.values()].some(({ name, messages }) => messages > 0 && name.startsWith(delayPrefix))

/** When a broker is to be reconciled again although nothing changed. */
export const againAfterMs = (
  broker: Broker,
  { plan, applied, observed, memory }: Converged,
  random: number,
): number => {
  const resyncMs = milliseconds(broker.spec.resyncInterval) * (0.8 + random * 0.2)
  if (applied.some(({ error }) => error !== undefined)) return Math.min(resyncMs, 5_000)
  if (manages(broker) && (plan.waiting.size > 0 || plan.changes.length > 0 || plan.sealing.length > 0))
    return Math.min(resyncMs, 1_000)
  if (plan.quiet.size > 0) return Math.min(resyncMs, settleMs)
  if (plan.shadowed.length > 0 || memory.heldBack.size > 0) return Math.min(resyncMs, 5_000)
  return isDelaying(observed) ? Math.min(resyncMs, delayingMs) : resyncMs
}

const since = (
  names: Iterable<string>,
  before: ReadonlyMap<string, number>,
  now: number,
): ReadonlyMap<string, number> => new Map([...names].map((name) => [name, before.get(name) ?? now]))
