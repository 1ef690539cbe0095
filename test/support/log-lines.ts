import type { AmqpLog } from '../../src/rabbit/amqp/port.ts'

export type LogLine = { readonly level: keyof AmqpLog; readonly message: string; readonly fields: object }

/** A log that collects its lines for a test. */
export const logLines = (): { readonly log: AmqpLog; readonly lines: LogLine[] } => {
  const lines: LogLine[] = []
  const at = (level: keyof AmqpLog) => (fields: object, message: string) => {
    lines.push({ level, message, fields })
  }
  return { lines, log: { info: at('info'), warn: at('warn'), error: at('error') } }
}
