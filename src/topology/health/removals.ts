import type { Broker } from '../../api/kinds/broker.ts'
import type { Desired } from '../desired.ts'
import type { Retained } from './retained.ts'

/**
 * On a Broker: what of `status.retained` is to be removed, separated by commas. `empty`: everything in which no message is.
 * `Subscription/shop/billing`: what is there for this resource, if no message is in it; with `=3`, also if there are 3
 * messages at most.
 */
export const removalAnnotation = 'waybill.dev/remove-retained'

/** How what a resource left behind is removed, by owner. */
export type Removals = ReadonlyMap<string, 'RetainIfNotEmpty' | 'Delete'>

/**
 * What the Broker asks to be removed of what is retained. An entry that names nothing of it has been dealt with. What somebody still
 * wants stays, whoever it was declared for: the delay queues of a Broker that is gone serve the next one on its virtual host.
 */
export const removalsOf = (
  { metadata }: Broker,
  instance: string,
  retained: readonly Retained[],
  wanted: Pick<Desired, 'queues' | 'exchanges'>,
): Removals => {
  const asked = (metadata.annotations?.[removalAnnotation] ?? '').split(',').map((entry) => entry.trim())
  if (asked.every((entry) => entry === '')) return new Map()
  const inUse = namesOf(wanted)
  const found = new Map<string, 'RetainIfNotEmpty' | 'Delete'>()
  for (const [owner, objects] of Map.groupBy(retained, (object) => object.owner)) {
    if (objects.some(({ name }) => inUse.has(name))) continue
    const names = [owner.slice(instance.length + 1), ...objects.map(({ name }) => name)]
    const messages = objects.reduce((sum, object) => sum + object.messages, 0)
    const isCounted = objects.every(({ isUncounted = false }) => !isUncounted)
    const isMeant = (entry: string): boolean => {
      const [, name = entry, most] = withMessages.exec(entry) ?? []
      return names.includes(name) && (most === undefined || (isCounted && messages <= Number(most)))
    }
    const meant = asked.filter(isMeant)
    if (meant.length > 0 || asked.includes('empty'))
      found.set(owner, meant.some((entry) => withMessages.test(entry)) ? 'Delete' : 'RetainIfNotEmpty')
  }
  return found
}

/** The names of the queues and exchanges that somebody wants. */
export const namesOf = ({ queues, exchanges }: Pick<Desired, 'queues' | 'exchanges'>): ReadonlySet<string> =>
  new Set([...queues, ...exchanges].map(({ want }) => want.name))

const withMessages = /^(.*)=(\d{1,9})$/
