import { unlessAborted } from '../../async/abort.ts'
import type { Endpoint } from '../endpoint.ts'
import type { Channel } from './client/channel.ts'
import { EndedError } from './client/ended.ts'
import type { Wire } from './client/wire.ts'
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

type Session = { readonly wire: Wire; readonly free: Channel[] }

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
    const wire = await openConnection(endpoint, { name: 'waybill operator', heartbeatSeconds }, stop.signal)
    if (wire.end) throw new EndedError('connection', wire.end)
    return { wire, free: [] }
  }

  /** The session of this moment; one whose connection is over gives way to a new one. */
  const current = async (): Promise<Session> => {
    const found = session
    if (found) {
      const { wire } = await found
      if (wire.end === undefined) return found
      if (session === found) session = undefined
    }
    session ??= open()
    const opening = session
    opening.catch(() => {
      if (session === opening) session = undefined
    })
    return opening
  }

  const rest = async (): Promise<void> => {
    const open = session
    session = undefined
    // A connection that fails while it is being closed is closed as well.
    await open?.then(({ wire }) => wire.close()).catch(() => undefined)
  }

  return {
    async take() {
      const { wire, free } = await current()
      let channel = free.pop()
      while (channel?.end) channel = free.pop()
      const taken = channel ?? (await wire.openChannel())
      return { channel: taken, release: () => void free.push(taken) }
    },
    rest,
    async close() {
      await unlessAborted(rest(), AbortSignal.timeout(closeWithinMs))
      stop.abort()
    },
  }
}
