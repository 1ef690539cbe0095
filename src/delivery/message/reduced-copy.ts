import type { Copy } from './copy.ts'
import { type } from './field-table.ts'
import { Headers } from './headers.ts'
import { Properties } from './properties.ts'
import { rewritten } from './rewrite.ts'
import { waybillHeaders, waybillPrefix } from './waybill-headers.ts'

/** Of the 128 KiB that a frame has; the rest is for properties and for what the next copy adds. */
const room = 120 * 1024

/**
 * A smaller copy for a header table that Waybill's own headers made larger than a frame. The body is the same. Only
 * CloudEvents attributes, the place in a trace and Waybill's own headers stay, with a count of the headers that were dropped.
 */
export const reducedCopy = (copy: Copy): Copy => {
  const properties = new Properties(copy.properties)
  const headers = properties.headers ?? new Headers(Buffer.alloc(0))
  const kept = keptOf(headers)
  const others = headers.names.filter((name) => name !== waybillHeaders.headersDropped).length
  const dropped = others - kept.size + droppedBefore(headers)
  const own = [[waybillHeaders.headersDropped, dropped] as const]
  return { ...copy, properties: rewritten(properties, (_, at) => kept.has(at), own, properties) }
}

/** The positions in the table of the headers that stay: Waybill's own first, then attributes as long as there is room. */
const keptOf = (headers: Headers): Set<number> => {
  const kept = new Set<number>()
  let left = room
  for (const isWanted of [isOwn, isAttribute]) {
    for (const { name, at, value, end } of headers.places()) {
      if (!isWanted(name) || isNested(headers.raw[value]) || end - at > left) continue
      kept.add(at)
      left -= end - at
    }
  }
  return kept
}

/** A producer may have written anything there. */
const droppedBefore = (headers: Headers): number => {
  const before = headers.get(waybillHeaders.headersDropped)
  return typeof before === 'number' && before > 0 && before < 2 ** 30 ? Math.floor(before) : 0
}

const isOwn = (name: string): boolean => name.startsWith(waybillPrefix) && name !== waybillHeaders.headersDropped

const isAttribute = (name: string): boolean => /^(cloudEvents[:_]|ce[-_]|trace(parent|state)$)/.test(name)

const isNested = (byte: number | undefined): boolean => byte === type.table || byte === type.array
