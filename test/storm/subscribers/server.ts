import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Recorder } from '../../history/recorder.ts'
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
    const isKept = headers['ce-id'] !== undefined && keepsBody(id)
    const number = recorder.requested({
      ...{ subscription, id, attempt, webhookId: String(headers['webhook-id']) },
      body: isKept ? body : undefined,
    })
    response.on('error', () => undefined)
    const status = await replyTo(subscriber.mood, seed, `${subscription} ${id} ${attempt}`, response)
    if (status !== undefined) recorder.answered(number, status)
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
