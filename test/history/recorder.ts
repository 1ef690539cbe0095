import { createHash } from 'node:crypto'
import { inspect } from 'node:util'
import { Properties } from '../../src/delivery/message/properties.ts'
import { decoded } from '../support/foreign-codec.ts'
import type { Answered, Content, Disturbed, Entry, Found, PublishEnded, Published, Requested } from './history.ts'

/** Headers that Waybill or the broker writes. */
const written = /^(waybill-.*|x-death|x-(first|last)-death-.*|x-delivery-count|x-acquired-count|CC|BCC)$/s

/** What a copy does not keep, and what is no property of a message. */
const unkept: ReadonlySet<string> = new Set(['headers', 'deliveryMode', 'priority', 'expiration', 'userId'])

/** The digests of a message, and of its properties as they stand on the wire: flags and list. */
export const contentOf = (body: Buffer | undefined, properties?: Buffer): Content => ({
  ...(body === undefined ? {} : { body: digest(body) }),
  ...(properties === undefined ? {} : { headers: headersIn(properties), properties: propertiesIn(properties) }),
})

/** With the type of each value: a decoder makes the same number of many types. */
const headersIn = (properties: Buffer): Record<string, string> => {
  const { headers } = new Properties(properties)
  return Object.fromEntries(
    [...(headers?.places() ?? [])]
      .filter(({ name }) => !written.test(name))
      .map(({ name, value, end }) => [name, digest(headers?.raw.subarray(value, end) ?? '')]),
  )
}

const propertiesIn = (properties: Buffer): Record<string, string> =>
  Object.fromEntries(
    Object.entries(decoded(properties))
      .filter(([name]) => !unkept.has(name))
      .map(([name, value]) => [name, digest(inspect(value))]),
  )

export const digest = (bytes: string | Buffer): string => createHash('sha1').update(bytes).digest('base64')

type Request = Omit<Requested, 'is' | 'at' | 'request' | 'content'> & {
  readonly body: Buffer | undefined
  readonly attributes: Readonly<Record<string, string>>
}

/** Writes down what happens, by one clock. */
export const createRecorder = () => {
  const entries: Entry[] = []
  let requests = 0
  const now = (): number => Math.round(performance.now() * 10) / 10
  const begun = now()

  return {
    entries: entries as readonly Entry[],
    /** Ms since it was made. */
    now: (): number => now() - begun,
    published(id: string, more: Pick<Published, 'exchange' | 'routingKey' | 'content' | 'isSendable'>): void {
      entries.push({ is: 'published', at: now() - begun, id, ...more })
    },
    publishEnded(id: string, is: PublishEnded['is']): void {
      entries.push({ is, at: now() - begun, id })
    },
    /** The number of the request, to be given with its answer. */
    requested({ body, attributes, ...rest }: Request): number {
      requests += 1
      entries.push({
        is: 'requested',
        at: now() - begun,
        request: requests,
        ...rest,
        content: { ...contentOf(body), attributes },
      })
      return requests
    },
    answered(request: number, status: number, more: Pick<Answered, 'retryAfterMs'> = {}): void {
      entries.push({ is: 'answered', at: now() - begun, request, status, ...more })
    },
    found(found: Omit<Found, 'is' | 'at'>): void {
      entries.push({ is: 'found', at: now() - begun, ...found })
    },
    /** Returns what tells its end. */
    disturbed(what: string, subscriptions?: readonly string[], more: Partial<Disturbed> = {}): () => void {
      const at = now() - begun
      const entry = {
        is: 'disturbed',
        at,
        until: Number.POSITIVE_INFINITY,
        what,
        ...(subscriptions ? { subscriptions } : {}),
        ...more,
      }
      entries.push(entry as Entry)
      return () => {
        entry.until = now() - begun
      }
    },
  }
}

export type Recorder = ReturnType<typeof createRecorder>
