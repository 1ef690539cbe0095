import { repeat } from '../../async/repeat.ts'
import type { Copy } from '../../delivery/message/copy.ts'
import { connectAmqp, untilPublishing } from '../../rabbit/amqp/connect.ts'
import type { Held } from '../../rabbit/amqp/holding/hold.ts'
import type { Amqp } from '../../rabbit/amqp/port.ts'
import type { PublishError } from '../../rabbit/amqp/publish-error.ts'
import type { Endpoint } from '../../rabbit/endpoint.ts'
import type { Log } from '../../telemetry/log.ts'
import { untilStored } from '../pipeline/until-stored.ts'

type Parts = {
  readonly endpoint: Endpoint
  readonly log: Log
  /** Whether the job is to go on. */
  isWanted(): boolean
}

/** Stores copies on a connection of its own, opened for the first one. `blocked` is called where one is not stored soon. */
export const storing = ({ endpoint, log, isWanted }: Parts, blocked: (message: string) => void, drop: AbortSignal) => {
  const closing = new AbortController()
  const giveUp = AbortSignal.any([drop, closing.signal, AbortSignal.timeout(giveUpAfterMs)])
  let isBlocked = false
  const giveUpUnwanted = (): void => {
    if (isBlocked && !isWanted()) closing.abort()
  }
  void repeat(lookEveryMs, giveUpUnwanted, closing.signal)
  let amqp: Amqp | undefined
  let connected: Promise<boolean> | undefined
  const waits = (_held: Held, { message }: Error): void => {
    isBlocked = true
    blocked(message)
  }
  return {
    /** Resolves to whether the broker has confirmed it. A failure for which `isFinal` holds is the end of it. */
    async store(held: Held, copy: Copy, isFinal: (error: PublishError) => boolean = () => false): Promise<boolean> {
      amqp ??= connectAmqp(endpoint, { name: 'waybill jobs', log }, drop)
      connected ??= untilPublishing(amqp, AbortSignal.any([giveUp, AbortSignal.timeout(upWithinMs)]))
      await connected
      const isStored = (await untilStored<Held>({ amqp, waits, isFinal }, giveUp)(held, copy)) !== undefined
      if (isStored) isBlocked = false
      return isStored
    },
    async close(): Promise<void> {
      closing.abort()
      await amqp?.close()
    },
  }
}

/** Once the job is suspended or deleted, what the broker does not confirm waits no longer. */
const lookEveryMs = 1_000

const upWithinMs = 5_000

/** Until then the messages are held; the next pass goes on. */
const giveUpAfterMs = 120_000
