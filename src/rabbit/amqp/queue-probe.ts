import type { Channel } from './client/channel.ts'
import { checkQueue } from './client/operations.ts'
import type { Wire } from './client/wire.ts'

const spareChannels = 4

/**
 * Checks whether a queue exists, on separate channels: if it does not, the broker closes the channel. Rejects with an
 * `EndedError`, whose `refusal` is 404 for a queue that does not exist.
 */
export const queueProbe = (): ((wire: Wire, queue: string) => Promise<void>) => {
  const spares = new WeakMap<Wire, Channel[]>()

  return async (wire, queue) => {
    const spare = spares.get(wire)?.pop()
    const channel = spare && spare.end === undefined ? spare : await wire.openChannel()
    await checkQueue(channel, queue)
    const kept = spares.get(wire) ?? []
    spares.set(wire, kept)
    if (kept.length < spareChannels) kept.push(channel)
    else void channel.close()
  }
}
