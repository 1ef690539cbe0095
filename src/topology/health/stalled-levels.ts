import { delayPrefix } from '../names.ts'
import type { Observed } from '../topology.ts'
import { type FullQueue, fullAmong, returnTargets } from './in-force.ts'

/** How many messages of a level are over their delay and not taken by their target, and since when that has not become less. */
export type HeldBack = { readonly count: number; readonly since: number }

/** A level that stands still, and the queues that refuse what comes back from it, as far as they are known. */
export type StalledLevel = { readonly level: string; readonly held: number; readonly full: readonly FullQueue[] }

/** So long a level may take for what is due: a broker that is busy settles it within seconds. */
const stalledAfterMs = 8_000

/** RabbitMQ forwards so many messages of a level before the first of them is settled; then the level stands still for all. */
const window = 32

/** What the levels hold back now. RabbitMQ counts expired messages neither as ready nor as unacknowledged. */
export const heldBack = (
  { states }: Observed,
  before: ReadonlyMap<string, HeldBack>,
  now: number,
): ReadonlyMap<string, HeldBack> => {
  const held = new Map<string, HeldBack>()
  for (const { name, messages, ready, unacknowledged } of states.values()) {
    const count = messages - ready - unacknowledged
    if (!name.startsWith(delayPrefix) || count <= 0) continue
    const last = before.get(name)
    held.set(name, { count, since: last !== undefined && count >= last.count ? last.since : now })
  }
  return held
}

/** The levels that stand still: they hold messages back for too long, and a queue refuses these or the window is full. */
export const stalledLevels = (
  observed: Observed,
  held: ReadonlyMap<string, HeldBack>,
  now: number,
): readonly StalledLevel[] => {
  const late = [...held].filter(([, { since }]) => now - since >= stalledAfterMs)
  if (late.length === 0) return []
  const full = fullAmong(observed)(returnTargets(observed))
  return late
    .filter(([, { count }]) => full.length > 0 || count >= window)
    .map(([name, { count }]) => ({ level: name.slice(delayPrefix.length), held: count, full }))
}
