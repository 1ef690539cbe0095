import type { Copy } from '../../delivery/message/copy.ts'
import type { Wire } from './client/wire.ts'
import { type Connection, reasonOf } from './connection.ts'
import { PublishChannel } from './publish-channel.ts'
import { PublishError } from './publish-error.ts'

const mostPatienceMs = 600_000
// Both count in confirm timeouts.
const giveUpAfter = 30
const openWithin = 4

/**
 * Publishes copies over one connection, each target exchange on a channel of its own: publishing to an exchange that
 * does not exist closes the channel, which must not affect the copies for others.
 */
export const publisherOn = (
  connection: Connection,
  { confirmTimeoutMs }: { readonly confirmTimeoutMs: number },
): ((copy: Copy) => Promise<void>) => {
  const channels = new Map<string, PublishChannel>()

  const open = (wire: Wire, exchange: string, before: PublishChannel | undefined): PublishChannel => {
    // Where the broker was late, the next copies are given more time.
    const patienceMs = before?.isStale ? Math.min(before.patienceMs * 2, mostPatienceMs) : confirmTimeoutMs
    const channel = new PublishChannel(wire, exchange, {
      patienceMs,
      giveUpMs: Math.max(confirmTimeoutMs * giveUpAfter, patienceMs),
      openMs: confirmTimeoutMs * openWithin,
      isBlocked: () => connection.state.is === 'blocked',
      // At once, for it tells a broker that is late from one that does not answer on this connection any more.
      becameStale: () => {
        try {
          open(wire, exchange, channel)
        } catch {
          // The connection is over, or has no channel left: the next copy opens one, or says why not.
        }
      },
      hangs: () => wire.destroy({ by: 'us', text: 'the broker answered nothing but heartbeats' }),
    })
    channels.set(exchange, channel)
    return channel
  }

  return async (copy) => {
    const { current } = connection
    if (current === undefined) throw new PublishError('lost', 'there is no connection to the broker')
    const found = channels.get(copy.exchange)
    if (found?.isUsable && found.wire === current) return found.publish(copy)
    let channel: PublishChannel
    try {
      channel = open(current, copy.exchange, found)
    } catch (cause) {
      throw new PublishError('lost', `could not open a channel: ${reasonOf(cause)}`, { cause })
    }
    return channel.publish(copy)
  }
}
