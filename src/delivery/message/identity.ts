import { valueEnd } from './field-table.ts'
import type { Message } from './message.ts'
import { field } from './properties.ts'

/** Headers that the broker changes when it delivers a message once more. */
const counters: ReadonlySet<string> = new Set(['x-delivery-count', 'x-acquired-count'])

/** The bytes of a message that are the same at each delivery from its queue, in parts. */
export const identityOf = ({ content, fields, properties }: Message): Uint8Array[] => {
  const { raw, positions } = properties
  const headers = positions[field.headers] as number
  return [
    Buffer.from(fields.exchange),
    Buffer.from(fields.routingKey),
    content,
    raw.subarray(2, headers),
    ...lasting(properties.headers?.raw ?? Buffer.alloc(0)),
    raw.subarray(positions[field.headers + 1] as number),
  ]
}

/** The headers of a table without the counters; what cannot be read stays as it is. */
const lasting = (table: Buffer): Buffer[] => {
  const parts: Buffer[] = []
  for (let at = 0; at < table.length; ) {
    const value = at + 1 + (table[at] as number)
    const end = valueEnd(table, value)
    if (end === -1) return [...parts, table.subarray(at)]
    if (!counters.has(table.toString('latin1', at + 1, value))) parts.push(table.subarray(at, end))
    at = end
  }
  return parts
}
