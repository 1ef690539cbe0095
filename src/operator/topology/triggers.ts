import type { Resource } from '../../api/resource.ts'
import type { Wake } from '../../reconcile/controller.ts'
import { type Attached, membersOf } from '../../topology/references.ts'
import { settleMs } from '../../topology/retire.ts'
import { lettersBy, wantedBy } from '../world/fingerprint.ts'
import type { WorldView } from '../world/world.ts'

/**
 * Calls `wake` for each broker whose resources changed in a way that matters, and for each that is gone; for all of them
 * at the start, and after a Secret changed, of which `secretsChanged` is called first. Returns what stops it.
 */
export const wakeOn = (
  world: Pick<WorldView, 'now' | 'onRelevantChange'>,
  wake: Wake,
  secretsChanged: () => void = () => {},
): (() => void) => {
  let brokers = new Map<string, { wanted: string; letters: string }>()

  return world.onRelevantChange((secrets) => {
    if (secrets) secretsChanged()
    const before = brokers
    brokers = new Map([...world.now().attached].map(([key, attached]) => [key, ofAll(attached)]))
    for (const [key, { wanted, letters }] of brokers) {
      const old = before.get(key)
      if (secrets || old?.wanted !== wanted) wake(key)
      // RabbitMQ's counts are up to five seconds old, so a dead letter shows in them only later.
      if (old && old.letters !== letters) wake(key, settleMs)
    }
    for (const key of before.keys()) if (!brokers.has(key)) wake(key)
  })
}

const ofAll = (attached: Attached) => {
  const policies = [...attached.queues, ...attached.subscriptions].flatMap(({ policy }) => policy ?? [])
  const all = [...membersOf(attached), ...new Set<Resource>(policies)]
  return {
    wanted: all.map(wantedBy).join('\n'),
    letters: all.map(lettersBy).join('\n'),
  }
}
