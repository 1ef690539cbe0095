import { createHash } from 'node:crypto'
import { inspect } from 'node:util'
import type { Content, Disturbed, Entry, Found, PublishEnded, Requested } from './history.ts'

/** Headers that Waybill or the broker writes. */
const written = /^(waybill-.*|x-death|x-(first|last)-death-.*|x-delivery-count|x-acquired-count|CC|BCC)$/s

/** The digests of a message, with its headers as amqplib has decoded them. */
export const contentOf = (body: Buffer | undefined, headers?: Readonly<Record<string, unknown>>): Content => ({
  ...(body === undefined ? {} : { body: digest(body) }),
  ...(headers === undefined
    ? {}
    : {
        headers: Object.fromEntries(
          Object.entries(headers)
            .filter(([name]) => !written.test(name))
            .map(([name, value]) => [
              name,
              digest(inspect(value, { depth: 20, maxStringLength: null, breakLength: Infinity })),
            ]),
        ),
      }),
})

const digest = (bytes: string | Buffer): string => createHash('sha1').update(bytes).digest('base64')

type Request = Omit<Requested, 'is' | 'at' | 'request' | 'content'> & { readonly body: Buffer | undefined }

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
    published(id: string, where: { exchange: string; routingKey: string }, content: Content): void {
      entries.push({ is: 'published', at: now() - begun, id, ...where, content })
    },
    publishEnded(id: string, is: PublishEnded['is']): void {
      entries.push({ is, at: now() - begun, id })
    },
    /** The number of the request, to be given with its answer. */
    requested({ body, ...rest }: Request): number {
      requests += 1
      entries.push({ is: 'requested', at: now() - begun, request: requests, ...rest, content: contentOf(body) })
      return requests
    },
    answered(request: number, status: number): void {
      entries.push({ is: 'answered', at: now() - begun, request, status })
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
