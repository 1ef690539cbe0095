import type { Log } from '../../telemetry/log.ts'

/** Where `waybill run` serves dead letters, and where commands look for them. */
export const defaultDataListen = '127.0.0.1:9403'
export const dataOption = '--data-listen'

/** Logs what went wrong with a request; errors hold nothing of a message. */
export const failedWith =
  (log: Log) =>
  (error: unknown): void =>
    log.error({ error }, 'Could not answer a request for dead letters')
