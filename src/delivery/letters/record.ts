import { createHash } from 'node:crypto'
import type { Message } from '../message/message.ts'
import { Properties } from '../message/properties.ts'
import type { Letter } from './letter.ts'
import { plainProperties, propertiesOf, without } from './plain-properties.ts'
import { tableOf, typedHeaders } from './typed-headers.ts'

/** What is published of a record: the bytes of the message. */
export type Recorded = { readonly properties: Buffer; readonly body: Buffer; readonly subscription: string | undefined }

/** The broker's counts of how often a queue handed out a message: they are the queue's, not the message's. */
const counts: ReadonlySet<string> = new Set(['x-delivery-count', 'x-acquired-count'])

/** The properties as they were published. */
export const publishedProperties = (properties: Properties): Buffer => without(properties, (name) => counts.has(name))

/**
 * A dead letter as one line of an export. What cannot be said exactly is in `raw`: the properties and headers byte for byte.
 * One of which something is withheld says so.
 */
export const recordLine = (
  letter: Letter,
  { properties, content }: Message,
  subscription: string,
  isRedacted = false,
): string => {
  const raw = publishedProperties(properties)
  const published = new Properties(raw)
  const plain = plainProperties(published)
  const headers = published.headers && typedHeaders(published.headers)
  const isExact = propertiesOf(plain, headers && tableOf(headers))?.equals(raw)
  const text = content.toString('utf8')
  return JSON.stringify({
    id: letter.id,
    ...(isRedacted ? { redacted: true } : {}),
    deadLetter: {
      subscription,
      reason: letter.reason,
      statusCode: letter.statusCode,
      error: letter.error,
      attempts: letter.attempts,
      deadLettered: letter.deadLettered === undefined ? undefined : new Date(letter.deadLettered).toISOString(),
    },
    properties: plain,
    headers,
    ...(isExact ? {} : { raw: raw.toString('base64') }),
    ...(Buffer.from(text).equals(content) ? { body: text } : { bodyBase64: content.toString('base64') }),
  })
}

/** The last line of an export: without it, something is missing. */
export type ExportEnd = { readonly export: { readonly count: number; readonly complete: boolean } }

/** Reads one line of an export, or says what is wrong with it. The message for its last line is `undefined`. */
export const recorded = (line: string): Recorded | { readonly end: true } | { readonly problem: string } => {
  let found: unknown
  try {
    found = JSON.parse(line)
  } catch {
    return { problem: 'is not JSON' }
  }
  if (typeof found !== 'object' || found === null || Array.isArray(found)) return { problem: 'is not a JSON object' }
  if ('export' in found) return { end: true }
  if ('redacted' in found) return { problem: 'is redacted: import a copy that has everything in it' }
  const { raw, properties, headers, body, bodyBase64, deadLetter } = found as Readonly<Record<string, unknown>>
  const content = typeof body === 'string' ? Buffer.from(body) : base64(bodyBase64)
  if (content === undefined) return { problem: 'needs body or bodyBase64' }
  const bytes = raw === undefined ? built(properties, headers) : base64(raw)
  if (bytes === undefined) return { problem: 'has properties or headers that are not as they were exported' }
  const problem = refusal(new Properties(bytes))
  if (problem !== undefined) return { problem }
  const { subscription } = (typeof deadLetter === 'object' ? deadLetter : {}) as { subscription?: unknown }
  return {
    properties: without(new Properties(bytes), () => false, 'userId'),
    body: content,
    subscription: typeof subscription === 'string' ? subscription : undefined,
  }
}

const built = (properties: unknown, headers: unknown): Buffer | undefined => {
  if (typeof properties !== 'object' || properties === null) return undefined
  if (headers === undefined) return propertiesOf({ ...properties }, undefined)
  const table = Array.isArray(headers) ? tableOf(headers) : undefined
  return table && propertiesOf({ ...properties }, table)
}

const base64 = (text: unknown): Buffer | undefined =>
  typeof text === 'string' && /^[A-Za-z0-9+/]*={0,2}$/.test(text) ? Buffer.from(text, 'base64') : undefined

/** By these headers the broker would put the message into other queues too. */
const senders: ReadonlySet<string> = new Set(['CC', 'BCC'])

const refusal = (properties: Properties): string | undefined => {
  if (properties.isBroken) return 'has properties that AMQP cannot carry'
  const sender = properties.headers?.names.find((name) => senders.has(name))
  return sender && `has the header ${sender}, by which the broker would put it into other queues too`
}

/**
 * The same for messages of the same bytes but for the order of their headers: RabbitMQ 3 sorts those of a message that it hands
 * out again.
 */
export const contentHash = (properties: Buffer, body: Buffer): string => {
  const found = new Properties(properties)
  const hash = createHash('sha256').update(without(found, () => true))
  for (const header of sortedHeaders(found)) hash.update(header)
  return hash.update(`${body.length} `).update(body).digest('base64')
}

const sortedHeaders = ({ headers }: Properties): Buffer[] =>
  [...(headers?.places() ?? [])]
    .map(({ at, end }) => (headers as { raw: Buffer }).raw.subarray(at, end))
    .sort(Buffer.compare)
