import type { Channel, ChannelModel } from 'amqplib'
import { unlessAborted } from '../../async/abort.ts'
import type { Endpoint } from '../endpoint.ts'
import { openConnection } from './open-connection.ts'

/** Channels of one connection, which is opened when needed. */
export type SpareChannels = {
  /** A channel that no other call uses, and what returns it for the next one. */
  take(): Promise<{ readonly channel: Channel; release(): void }>
  /** Closes the connection, until a channel is taken again. */
  rest(): Promise<void>
  /** Closes the connection for good. */
  close(): Promise<void>
}

type Session = { readonly connection: ChannelModel; readonly free: Channel[] }

/**
 * Short, because a leader that was paused must change nothing when it resumes, and what it has handed to its connection
 * cannot be taken back: after three times this without a heartbeat the broker has closed the connection. That is before
 * another process may lead.
 */
const heartbeatSeconds = 4
const closeWithinMs = 4_000

export const spareChannels = (endpoint: Endpoint): SpareChannels => {
  const stop = new AbortController()
  let session: Promise<Session> | undefined

  const open = async (): Promise<Session> => {
    const connection = await openConnection(endpoint, { name: 'waybill operator', heartbeatSeconds }, stop.signal)
    // A call that waits for an answer gets the error.
    connection.on('error', () => undefined)
    connection.on('close', () => {
      session = undefined
    })
    return { connection, free: [] }
  }

  const current = async (): Promise<Session> => {
    session ??= open()
    const opening = session
    try {
      return await opening
    } catch (error) {
      if (session === opening) session = undefined
      throw error
    }
  }

  const rest = async (): Promise<void> => {
    const open = session
    session = undefined
    // A connection that fails while it is being closed is closed as well.
    await open?.then(({ connection }) => connection.close()).catch(() => undefined)
  }

  return {
    async take() {
      const { connection, free } = await current()
      const channel = free.pop() ?? (await newChannel(connection))
      return { channel, release: () => void free.push(channel) }
    },
    rest,
    async close() {
      // Closing never ends when the connection breaks meanwhile.
      await unlessAborted(rest(), AbortSignal.timeout(closeWithinMs))
      stop.abort()
    },
  }
}

const newChannel = async (connection: ChannelModel): Promise<Channel> => {
  const channel = await connection.createChannel()
  channel.on('error', () => undefined)
  return channel
}
