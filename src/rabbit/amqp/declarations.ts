import { around, momentsOf } from '../../async/effects.ts'
import type { Change } from '../../topology/change.ts'
import { BrokerError } from '../broker-error.ts'
import type { Endpoint } from '../endpoint.ts'
import { noConnection } from '../no-connection.ts'
import type { Channel } from './client/channel.ts'
import { EndedError, OpenError, UnencodableError } from './client/ended.ts'
import {
  bindQueue,
  declareExchange,
  declareQueue,
  deleteExchange,
  deleteQueue,
  unbindQueue,
} from './client/operations.ts'
import { deleteClassic, deleteDelay, deleteEmpty } from './delete-empty.ts'
import { RefusedError } from './open-connection.ts'
import { spareChannels } from './spare-channels.ts'

/** The changes that AMQP 0-9-1 has methods for. */
export type Declaration = Extract<
  Change,
  { do: 'declare-exchange' | 'declare-queue' | 'bind' | 'unbind' | 'delete-exchange' | 'delete-queue' }
>

/** Declares over one AMQP connection, which is opened when needed and closed when idle. */
export type Declarations = {
  /** Each call under way has a channel to itself, because a refusal closes the channel. @throws BrokerError */
  apply(change: Declaration): Promise<void>
  close(): Promise<void>
}

const moments = {
  'declare-exchange': momentsOf('declare-exchange'),
  'declare-queue': momentsOf('declare-queue'),
  bind: momentsOf('bind'),
  unbind: momentsOf('unbind'),
  'delete-exchange': momentsOf('delete-exchange'),
  'delete-queue': momentsOf('delete-queue'),
}

const defaultIdleMs = 10_000
const accessRefused = 403

/** `fence` is called right before each change is handed to the connection; an error that it throws prevents that and is rethrown. */
export const openDeclarations = (endpoint: Endpoint, fence: () => void, idleMs = defaultIdleMs): Declarations => {
  const channels = spareChannels(endpoint)
  let underWay = 0
  let idle: NodeJS.Timeout | undefined

  /** On a channel of its own: a refusal closes it. */
  const remove = async (queue: string): Promise<void> => {
    const { channel, release } = await channels.take()
    try {
      fence()
      await deleteQueue(channel, queue)
      release()
    } catch (error) {
      void channel.close()
      if (!(error instanceof EndedError) || error.refusal !== accessRefused) throw error
      // Older versions do not say which access.
      const what = `configure access to queue '${queue}' in vhost '${endpoint.vhost}'`
      throw new BrokerError('refused', `The broker refused ${what}: ${error.message}`, { cause: error })
    }
  }

  const apply = async (change: Declaration): Promise<void> => {
    const { channel, release } = await channels.take().catch((error: unknown) => {
      throw brokerError(error, endpoint)
    })
    try {
      fence()
    } catch (error) {
      release()
      throw error
    }
    try {
      await around(moments[change.do], () => declare(channel, change, remove))
      release()
    } catch (error) {
      // The broker has closed it already, unless the change was not sent.
      void channel.close()
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
        if (underWay === 0) idle = setTimeout(() => void channels.rest(), idleMs).unref()
      }
    },
    close() {
      clearTimeout(idle)
      return channels.close()
    },
  }
}

const declare = async (
  channel: Channel,
  change: Declaration,
  remove: (queue: string) => Promise<void>,
): Promise<unknown> => {
  switch (change.do) {
    case 'declare-exchange':
      return declareExchange(channel, change.exchange.name, change.exchange.type, change.exchange.arguments)
    case 'declare-queue':
      return declareQueue(channel, change.queue.name, change.queue.durable, change.queue.arguments)
    case 'bind':
      return bindQueue(channel, change.binding)
    case 'unbind':
      return unbindQueue(channel, change.binding)
    case 'delete-exchange':
      return deleteExchange(channel, change.exchange)
    case 'delete-queue':
      if (change.only === 'whatever-it-holds') return deleteQueue(channel, change.queue)
      if (change.type === 'classic') return deleteClassic(channel, change.queue)
      return (change.type === 'delay' ? deleteDelay : deleteEmpty)(channel, change.queue, () => remove(change.queue))
  }
}

/** The broker's refusals carry an AMQP reply code; any other failure after sending means that the connection was lost. */
const brokerError = (error: unknown, { amqp }: Endpoint): BrokerError => {
  const message = error instanceof Error ? error.message : String(error)
  if (error instanceof BrokerError) return error
  if (error instanceof RefusedError) return new BrokerError('refused', message, { cause: error })
  if (error instanceof UnencodableError) {
    return new BrokerError('refused', `AMQP cannot carry this: ${message}`, { cause: error })
  }
  const code = error instanceof EndedError && error.end.by === 'broker' ? error.end.code : undefined
  const refused = code !== undefined && code >= 400 && code < 500
  if (refused) return new BrokerError('refused', `The broker refused: ${message}`, { cause: error })
  if (code !== undefined && code >= 500)
    return new BrokerError('failed', `The broker failed: ${message}`, { cause: error })
  const where = {
    what: `AMQP at ${amqp.hostname}:${amqp.port}`,
    host: amqp.hostname,
    secure: amqp.protocol === 'amqps',
    otherScheme: 'correct scheme and port in the Secret',
  }
  const isTls = error instanceof OpenError && error.kind === 'speaks-tls'
  if (isTls) return new BrokerError('tls', `${where.what} speaks TLS: ${where.otherScheme}`, { cause: error })
  return noConnection(error, where)
}
