import type { Channel, ChannelModel } from 'amqplib'

const spareChannels = 4

/**
 * Checks whether a queue exists, on separate channels: if it does not, the broker closes the channel. Rejects with the
 * broker's error, whose `code` is 404 for a queue that does not exist.
 */
export const queueProbe = (): ((connection: ChannelModel, queue: string) => Promise<void>) => {
  const spares = new Set<Channel>()

  const open = async (connection: ChannelModel): Promise<Channel> => {
    const channel = await connection.createChannel()
    channel.on('error', () => undefined)
    channel.on('close', () => spares.delete(channel))
    return channel
  }

  return async (connection, queue) => {
    const [spare] = spares
    if (spare) spares.delete(spare)
    const channel = spare ?? (await open(connection))
    await channel.checkQueue(queue)
    if (spares.size < spareChannels) spares.add(channel)
    else channel.close().catch(() => undefined)
  }
}
