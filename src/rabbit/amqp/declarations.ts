import type { Channel, ChannelModel } from 'amqplib'
import { unlessAborted } from '../../async/abort.ts'
import type { Change } from '../../topology/change.ts'
import { BrokerError } from '../broker-error.ts'
import type { Endpoint } from '../endpoint.ts'
import { openConnection, RefusedError } from './open-connection.ts'

/** The changes that AMQP 0-9-1 has methods for. */
export type Declaration = Extract<
  Change,
  { do: 'declare-exchange' | 'declare-queue' | 'bind' | 'unbind' | 'delete-exchange' }
>

/** Declares over one AMQP connection, which is opened when needed and closed when idle. */
export type Declarations = {
  /** Each call under way has a channel to itself, because a refusal closes the channel. @throws BrokerError */
  apply(change: Declaration): Promise<void>
  close(): Promise<void>
}

/**
 * Short, because a leader that was paused must change nothing when it resumes, and what it has handed to its connection
 * cannot be taken back: after three times this without a heartbeat the broker has closed the connection. That is before
 * another process may lead.
 */
const heartbeatSeconds = 4
const idleMs = 10_000
const closeWithinMs = 4_000

type Session = { readonly connection: ChannelModel; readonly free: Channel[] }

/** `fence` is called right before each change is handed to the connection; an error that it throws prevents that and is rethrown. */
export const openDeclarations = (endpoint: Endpoint, fence: () => void): Declarations => {
  const stop = new AbortController()
  let session: Promise<Session> | undefined
  let underWay = 0
  let idle: NodeJS.Timeout | undefined

  const open = async (): Promise<Session> => {
    const options = { name: 'waybill operator', heartbeatSeconds }
    const connection = await openConnection(endpoint, options, stop.signal)
    // A call that waits for an answer gets the error.
    connection.on('error', () => undefined)
    connection.on('close', () => {
      session = undefined
    })
    return { connection, free: [] }
  }

  const enter = async (): Promise<Session> => {
    session ??= open()
    const opening = session
    try {
      return await opening
    } catch (error) {
      if (session === opening) session = undefined
      throw error
    }
  }

  const leave = async (): Promise<void> => {
    const open = session
    session = undefined
    // A connection that fails while it is closed is closed all the same.
    await open?.then(({ connection }) => connection.close()).catch(() => undefined)
  }

  const newChannel = async ({ connection }: Session): Promise<Channel> => {
    const channel = await connection.createChannel()
    channel.on('error', () => undefined)
    return channel
  }

  /** A channel that no other call uses. */
  const ready = async (): Promise<{ readonly channel: Channel; readonly free: Channel[] }> => {
    try {
      const entered = await enter()
      return { channel: entered.free.pop() ?? (await newChannel(entered)), free: entered.free }
    } catch (error) {
      throw brokerError(error, endpoint)
    }
  }

  const apply = async (change: Declaration): Promise<void> => {
    const { channel, free } = await ready()
    try {
      fence()
    } catch (error) {
      free.push(channel)
      throw error
    }
    try {
      await declare(channel, change)
      free.push(channel)
    } catch (error) {
      // The broker has closed it already, unless the change was not sent.
      channel.close().catch(() => undefined)
      throw brokerError(error, endpoint)
    }
  }

  return {
    async apply(change) {
      clearTimeout(idle)
      underWay += 1
      try {
        await apply(change)
      } finally {
        underWay -= 1
        if (underWay === 0) idle = setTimeout(() => void leave(), idleMs).unref()
      }
    },
    async close() {
      clearTimeout(idle)
      // Closing never ends when the connection breaks meanwhile.
      await unlessAborted(leave(), AbortSignal.timeout(closeWithinMs))
      stop.abort()
    },
  }
}

const declare = async (channel: Channel, change: Declaration): Promise<unknown> => {
  switch (change.do) {
    case 'declare-exchange': {
      const { name, type, arguments: args } = change.exchange
      return channel.assertExchange(name, type, { durable: true, arguments: args })
    }
    case 'declare-queue': {
      const { name, durable, arguments: args } = change.queue
      return channel.assertQueue(name, { durable, arguments: args })
    }
    case 'bind': {
      const { destination, source, routingKey, arguments: args } = change.binding
      return channel.bindQueue(destination, source, routingKey, args)
    }
    case 'unbind': {
      const { destination, source, routingKey, arguments: args } = change.binding
      return channel.unbindQueue(destination, source, routingKey, args)
    }
    case 'delete-exchange':
      return channel.deleteExchange(change.exchange)
  }
}

/** The broker's refusals carry an AMQP reply code; any other failure after sending means that the connection was lost. */
const brokerError = (error: unknown, { amqp }: Endpoint): BrokerError => {
  const message = error instanceof Error ? error.message : String(error)
  if (error instanceof RefusedError) return new BrokerError('refused', message, { cause: error })
  // amqplib throws these for what does not fit into a frame: a text over 255 bytes, a table over 64 KiB. Nothing was sent.
  if (error instanceof TypeError || error instanceof RangeError) {
    return new BrokerError('refused', `AMQP cannot carry this: ${message}`, { cause: error })
  }
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  const refused = typeof code === 'number' && code >= 400 && code < 500
  if (refused) return new BrokerError('refused', `The broker refused: ${message}`, { cause: error })
  const where = `AMQP at ${amqp.hostname}:${amqp.port}`
  return new BrokerError('unreachable', `${where} did not answer: ${message}`, { cause: error })
}
