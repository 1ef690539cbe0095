import type { Log } from '../../src/rabbit/amqp/port.ts'

export type LogLine = { readonly level: keyof Log; readonly message: string; readonly fields: object }

/** A log that collects its lines for a test. */
export const logLines = (): { readonly log: Log; readonly lines: LogLine[] } => {
  const lines: LogLine[] = []
  const at = (level: keyof Log) => (fields: object, message: string) => {
    lines.push({ level, message, fields })
  }
  return { lines, log: { info: at('info'), warn: at('warn'), error: at('error') } }
}
