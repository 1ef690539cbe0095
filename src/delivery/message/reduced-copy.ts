import type { Copy, CopyProperties } from './copy.ts'
import { waybillHeaders, waybillPrefix } from './waybill-headers.ts'

/** AMQP clients encode a header table into 64 KiB; the remaining 4 KiB are for what they add. */
const room = 60 * 1024
const shortText = 255

/**
 * A smaller copy for headers or properties that the AMQP client cannot write: NaN, a table over 64 KiB, a text that grew
 * beyond 255 bytes when its non-UTF-8 was replaced. The body is the same. Only CloudEvents attributes and Waybill's own
 * headers stay, with a count of the headers that were dropped.
 */
export const reducedCopy = (copy: Copy): Copy => {
  const all = Object.entries(copy.properties.headers).sort(([a], [b]) => Number(isOwn(b)) - Number(isOwn(a)))
  const headers: Record<string, unknown> = {}
  let used = 0
  for (const [name, value] of all) {
    const size = sizeOf(name) + sizeOf(value)
    if (!isNeeded(name) || !isPlain(value) || sizeOf(name) > shortText || used + size > room) continue
    headers[name] = value
    used += size
  }
  const before = headers[waybillHeaders.headersDropped]
  const dropped = all.length - Object.keys(headers).length
  headers[waybillHeaders.headersDropped] = dropped + (typeof before === 'number' ? before : 0)
  const properties = Object.entries(copy.properties).filter(([, value]) => isWritable(value))
  return { ...copy, properties: { ...(Object.fromEntries(properties) as CopyProperties), headers } }
}

const isOwn = (name: string): boolean => name.startsWith(waybillPrefix)

const isNeeded = (name: string): boolean => isOwn(name) || /^(cloudEvents[:_]|ce[-_])/.test(name)

const isPlain = (value: unknown): boolean =>
  typeof value === 'string' || typeof value === 'boolean' || Number.isSafeInteger(value) || Buffer.isBuffer(value)

const sizeOf = (value: unknown): number =>
  (typeof value === 'string' || Buffer.isBuffer(value) ? Buffer.byteLength(value) : 8) + 8

const isWritable = (value: unknown): boolean =>
  typeof value === 'string' ? Buffer.byteLength(value) <= shortText : Number.isSafeInteger(value)
