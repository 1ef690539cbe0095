import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders, type RequestListener, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { digest, type Recorder } from '../../history/recorder.ts'
import { retryAfterMaxMs } from '../plan.ts'
import { type HttpsWay, openHttps } from './https.ts'
import { type Mood, replyTo } from './moods.ts'

/** The subscriber of one Subscription: a server that may move to another port. */
export type StormSubscriber = {
  readonly url: string
  mood: Mood
  /** Opens another port, which is the url from now on; the old one goes on to answer. */
  move(): Promise<void>
  /** The same, with https in this way. */
  moveToHttps(way: HttpsWay): Promise<void>
  close(): Promise<void>
}

export type SubscriberOptions = {
  /** `namespace/name` */
  readonly subscription: string
  readonly seed: number
  readonly recorder: Recorder
  /** Whether the body of a request to a message is that of the message. */
  keepsBody(id: string): boolean
}

export const startSubscriber = async (options: SubscriberOptions): Promise<StormSubscriber> => {
  const { subscription, seed, recorder, keepsBody } = options
  const cleanUp = new AsyncDisposableStack()

  const listener: RequestListener = async (request, response) => {
    const chunks: Buffer[] = []
    try {
      for await (const chunk of request) chunks.push(chunk as Buffer)
    } catch {
      return // It broke before it was complete: nothing was received.
    }
    const { headers } = request
    const body = Buffer.concat(chunks)
    const id = idOf(headers['ce-id'], body)
    const attempt = Number(headers['waybill-attempt'])
    const number = recorder.requested({
      ...{ subscription, id, attempt, webhookId: String(headers['webhook-id'] ?? '') },
      body: keepsBody(id) ? (headers['ce-id'] === undefined ? dataOf(body) : body) : undefined,
      sent: sentOf(headers, body),
      attributes: attributesOf(headers, body),
    })
    response.on('error', () => undefined)
    const status = await replyTo(subscriber.mood, seed, `${subscription} ${id} ${attempt}`, response)
    if (status !== undefined) recorder.answered(number, status, { retryAfterMs: waitIn(response) })
  }

  const open = async (): Promise<string> => {
    const server = createServer(listener)
    server.keepAliveTimeout = 60_000
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    cleanUp.defer(async () => {
      server.close()
      server.closeAllConnections()
    })
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
  }

  let url = await open()
  const subscriber: StormSubscriber = {
    get url() {
      return url
    },
    mood: 'well',
    move: async () => {
      url = await open()
    },
    moveToHttps: async (way) => {
      const opened = await openHttps(way, listener)
      cleanUp.defer(opened.close)
      url = opened.url
    },
    close: () => cleanUp.disposeAsync(),
  }
  return subscriber
}

const idOf = (header: string | string[] | undefined, body: Buffer): string => {
  if (typeof header === 'string') return header
  const { id }: { id?: unknown } = Object(JSON.parse(body.toString()))
  return String(id)
}

/** The data of an event in structured mode, where they are no JSON. */
const dataOf = (body: Buffer): Buffer | undefined => {
  const { data, data_base64: base64 }: { data?: unknown; data_base64?: unknown } = Object(JSON.parse(body.toString()))
  if (typeof base64 === 'string') return Buffer.from(base64, 'base64')
  return typeof data === 'string' ? Buffer.from(data) : undefined
}

/** Source and type of an event; what is not ASCII stands encoded in headers. */
const attributesOf = (headers: IncomingHttpHeaders, body: Buffer): { source: string; type: string } => {
  if (headers['ce-id'] !== undefined) {
    const text = (name: string): string => decoded(String(headers[name]))
    return { source: text('ce-source'), type: text('ce-type') }
  }
  const { source, type }: { source?: unknown; type?: unknown } = Object(JSON.parse(body.toString()))
  return { source: String(source), type: String(type) }
}

/** Bytes that are no UTF-8 stay as they are. */
const decoded = (encoded: string): string => {
  try {
    return decodeURIComponent(encoded)
  } catch {
    return encoded
  }
}

/** Of the connection and of the attempt, not of the message. */
const notSent: ReadonlySet<string> = new Set([...['host', 'connection', 'content-length', 'waybill-attempt']])

const sentOf = (headers: IncomingHttpHeaders, body: Buffer): string => {
  const kept = Object.entries(headers).filter(([name]) => !notSent.has(name))
  // RabbitMQ 3 changes the order of headers, and so that of attributes in structured mode.
  const bytes = headers['ce-id'] === undefined ? JSON.stringify(inOrder(JSON.parse(body.toString()))) : body
  return digest(Buffer.concat([Buffer.from(JSON.stringify(kept.toSorted())), Buffer.from(bytes)]))
}

const inOrder = (document: object) => Object.entries(document).sort(([a], [b]) => (a < b ? -1 : 1))

/** How long an answer asked to wait; where it says something else than seconds, not at all. */
const waitIn = (response: ServerResponse): number => {
  const asked = String(response.getHeader('retry-after'))
  return /^\d+$/.test(asked) ? Math.min(Number(asked) * 1_000, retryAfterMaxMs) : 0
}
