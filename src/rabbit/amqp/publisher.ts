import type { Copy } from '../../delivery/message/copy.ts'
import type { Connection } from './connection.ts'
import { PublishChannel } from './publish-channel.ts'
import { PublishError } from './publish-error.ts'

/**
 * Publishes copies over one connection, each target exchange on a channel of its own: publishing to an exchange that
 * does not exist closes the channel, which must not affect the copies for others.
 */
export const publisherOn = (
  connection: Connection,
  options: { readonly confirmTimeoutMs: number },
): ((copy: Copy) => Promise<void>) => {
  const channels = new Map<string, PublishChannel>()
  const channelOptions = { ...options, isBlocked: () => connection.state.is === 'blocked', hangs: connection.drop }

  return async (copy) => {
    const current = connection.current
    if (current === undefined) throw new PublishError('lost', 'there is no connection to the broker')
    let channel = channels.get(copy.exchange)
    if (!channel?.isUsable) {
      channel = new PublishChannel(current, copy.exchange, channelOptions)
      channels.set(copy.exchange, channel)
    }
    return channel.publish(copy)
  }
}
