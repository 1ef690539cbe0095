import { unlessAborted } from '../../async/abort.ts'
import type { Copy } from '../../delivery/message/copy.ts'
import { connectAmqp } from '../../rabbit/amqp/connect.ts'
import type { Held } from '../../rabbit/amqp/holding/hold.ts'
import type { Amqp } from '../../rabbit/amqp/port.ts'
import type { Endpoint } from '../../rabbit/endpoint.ts'
import type { Log } from '../../telemetry/log.ts'
import { untilStored } from '../pipeline/until-stored.ts'

type Parts = { readonly endpoint: Endpoint; readonly log: Log }

/** Stores copies on a connection of its own, opened for the first one. `blocked` is called where one is not stored soon. */
export const storing = ({ endpoint, log }: Parts, blocked: (message: string) => void, drop: AbortSignal) => {
  const closing = new AbortController()
  const giveUp = AbortSignal.any([drop, closing.signal, AbortSignal.timeout(giveUpAfterMs)])
  let amqp: Amqp | undefined
  let connected: Promise<void> | undefined
  const waits = (_held: Held, { message }: Error): void => blocked(message)
  return {
    /** Resolves to whether the broker has confirmed it. */
    async store(held: Held, copy: Copy): Promise<boolean> {
      amqp ??= connectAmqp(endpoint, { name: 'waybill jobs', log }, drop)
      connected ??= untilUp(amqp, giveUp)
      await connected
      return (await untilStored<Held>({ amqp, waits }, giveUp)(held, copy)) !== undefined
    },
    async close(): Promise<void> {
      closing.abort()
      await amqp?.close()
    },
  }
}

const upWithinMs = 5_000

/** Resolves once copies can be published, or after a while. */
const untilUp = async (amqp: Amqp, giveUp: AbortSignal): Promise<void> => {
  const up = Promise.withResolvers<void>()
  const stop = amqp.onState(({ publishing }) => {
    if (publishing === 'up') up.resolve()
  })
  await unlessAborted(up.promise, AbortSignal.any([giveUp, AbortSignal.timeout(upWithinMs)]))
  stop()
}

/** Until then the messages are held; the next pass goes on. */
const giveUpAfterMs = 120_000
