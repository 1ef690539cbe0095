import type { AmqpLog } from './port.ts'

/** A connection that lived for less was lost at once: it counts as one more failure. */
export const settledMs = 10_000

/** What the log says of a connection over its lives. What repeats is said once, until a life has lasted. */
export const connectionLog = (log: AmqpLog, connection: string) => {
  let loss: string | undefined
  let failure: string | undefined
  let settling: NodeJS.Timeout | undefined

  const isSettled = (): void => {
    loss = undefined
    failure = undefined
  }

  return {
    connected(): void {
      const say = (): void => log.info({ connection }, 'Connected to the broker')
      if (loss === undefined) say()
      settling = setTimeout(() => {
        if (loss !== undefined) say()
        isSettled()
      }, settledMs).unref()
    },
    lost(reason: string): void {
      clearTimeout(settling)
      if (reason !== loss) log.warn({ connection, reason }, 'Lost the connection to the broker')
      loss = reason
    },
    failed(reason: string): void {
      if (reason !== failure) log.warn({ connection, reason }, 'Could not connect to the broker')
      failure = reason
    },
    blocked(reason: string | undefined): void {
      if (reason === undefined) log.info({ connection }, 'The broker unblocked the connection')
      else log.warn({ connection, reason }, 'The broker blocked the connection')
    },
  }
}
