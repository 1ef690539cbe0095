import { type DestinationStream, pino } from 'pino'
import pretty from 'pino-pretty'

type Write = (fields: object, message: string) => void

/** What the rest of Waybill uses of a logger: facts as fields, one sentence as message. */
export type Log = {
  readonly debug: Write
  readonly info: Write
  readonly warn: Write
  readonly error: Write
  /** A log that adds `fields` to each line. */
  child(fields: Record<string, unknown>): Log
}

export const logLevels = ['debug', 'info', 'warn', 'error', 'silent'] as const
export type LogLevel = (typeof logLevels)[number]

export type LogOptions = {
  /** Default: `LOG_LEVEL`, else `info`. */
  readonly level?: LogLevel
  /** Default: standard error, as JSON lines, or readable where that is a terminal. */
  readonly to?: DestinationStream
}

const secretKeys = ['password', 'token', 'authorization', 'connection_string', 'connectionString', 'data']

/**
 * A log of JSON lines. Callers never pass secrets; as a second defence, fields named like one are masked, and so is the
 * user part of every URL. Lines are written synchronously: the last one before a crash is the one that matters.
 */
export const createLog = ({ level = levelOf(process.env.LOG_LEVEL), to = standardError() }: LogOptions = {}): Log =>
  pino(
    {
      level,
      base: null,
      messageKey: 'message',
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      serializers: { error: described, err: described },
      redact: { paths: secretKeys.flatMap((key) => [key, `*.${key}`]), censor: '***' },
      hooks: { streamWrite: (line) => line.replace(/([a-z]:\/\/)[^\s/"@]+@/gi, '$1***@') },
    },
    to,
  )

const standardError = (): DestinationStream =>
  process.stderr.isTTY
    ? pretty({ destination: 2, sync: true, singleLine: true, messageKey: 'message', translateTime: 'SYS:HH:MM:ss.l' })
    : pino.destination({ fd: 2, sync: true })

const levelOf = (text: string | undefined): LogLevel =>
  logLevels.find((level) => level === text?.trim().toLowerCase()) ?? 'info'

/** Errors by name, code and causes; their other properties may hold anything, so they are left out. */
const described = (error: unknown): unknown => {
  if (!(error instanceof Error)) return error
  const { name, message, stack, cause } = error
  const code = 'code' in error ? { code: error.code } : {}
  return { type: name, message, ...code, stack, ...(cause === undefined ? {} : { cause: described(cause) }) }
}
