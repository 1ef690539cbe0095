import type { Log as AnyLog } from '../telemetry/log.ts'

/** Where a store logs; `error` in the fields is written with its causes. Each part takes the levels that it uses. */
export type Log = Omit<AnyLog, 'child'>
