import type { ServerResponse } from 'node:http'
import { setTimeout as delay } from 'node:timers/promises'
import { type Random, randomOf, seedFor } from '../random.ts'

/** How a subscriber behaves for a while. */
export const moods = ['well', 'failing', 'refusing', 'busy', 'slow', 'hanging', 'broken', 'endless', 'mixed'] as const
export type Mood = (typeof moods)[number]

type Reply = (response: ServerResponse) => Promise<number | undefined> | number | undefined

const status =
  (code: number, headers: Readonly<Record<string, string>> = {}, body = ''): Reply =>
  (response) => {
    // So that they can be read later.
    response.setHeaders(new Map(Object.entries(headers)))
    response.writeHead(code).end(body)
    return code
  }

/** The status is sent, and the rest takes for ever: Waybill decides by the status. */
const unending =
  (code: number, piece: string, everyMs: number): Reply =>
  (response) => {
    // A 204 is complete for the client: its next request would be answered after the end of this one alone.
    response.writeHead(code, { 'content-type': 'text/plain', connection: 'close' })
    // An answer that has no body would otherwise be sent with its end.
    response.flushHeaders()
    void (async () => {
      for (let left = 200; left > 0 && !response.destroyed; left--) {
        response.write(piece)
        await delay(everyMs)
      }
      response.end()
    })()
    return code
  }

/** What cannot be an answer: none is recorded. */
const garbage =
  (bytes: string): Reply =>
  (response) => {
    response.socket?.end(bytes)
    return undefined
  }
/** What is closed already cannot be reset, and of a connection with TLS nothing but its end is to be had. */
const reset = ({ socket }: ServerResponse): void => {
  if (socket && 'encrypted' in socket) socket.destroy()
  else if (socket?.destroyed === false) socket.resetAndDestroy()
}
const cutOff: Reply = (response) => {
  reset(response)
  return undefined
}
const cutOffAfterHeaders: Reply = (response) => {
  response.writeHead(503, { 'content-length': '100' })
  response.write('half')
  setTimeout(() => reset(response), 5)
  return undefined
}
const hanging: Reply = () => undefined
const continues: Reply = (response) => {
  for (let count = 0; count < 300; count++) response.writeProcessing()
  response.writeHead(204).end()
  return 204
}
const late =
  (reply: Reply, ms: number): Reply =>
  async (response) => {
    await delay(ms)
    return response.destroyed ? undefined : reply(response)
  }

const replies: Readonly<Record<Exclude<Mood, 'mixed'>, readonly Reply[]>> = {
  well: [status(204), status(200, {}, 'fine'), status(202)],
  failing: [status(500), status(503), status(502, { 'content-type': 'text/html' }, '<html>'), status(408)],
  refusing: [status(400), status(422), status(409), status(301, { location: 'http://127.0.0.1:1/' }), status(404)],
  busy: [
    status(429, { 'retry-after': '1' }),
    status(429, { 'retry-after': 'soon' }),
    status(503, { 'retry-after': '-5' }),
    status(429, { 'retry-after': new Date(0).toUTCString() }),
  ],
  slow: [late(status(204), 200), late(status(503), 400), late(status(200), 800)],
  hanging: [hanging],
  broken: [
    cutOff,
    cutOffAfterHeaders,
    garbage('HTTP/1.1 999999 what\r\n\r\n'),
    garbage('\x16\x03\x01\x00\x05hello'),
    garbage('HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n'),
    garbage(''),
  ],
  endless: [unending(204, '', 50), unending(200, 'x'.repeat(64), 50), unending(503, 'y'.repeat(70_000), 5), continues],
}

const mixture: readonly (readonly [number, Exclude<Mood, 'mixed'>])[] = [
  [0.6, 'well'],
  [0.75, 'failing'],
  [0.8, 'refusing'],
  [0.85, 'busy'],
  [0.9, 'slow'],
  [0.95, 'broken'],
  [1, 'endless'],
]

/** Answers one request; the same for the same seed, message and attempt. Returns the status that was sent whole. */
export const replyTo = async (
  mood: Mood,
  seed: number,
  what: string,
  response: ServerResponse,
): Promise<number | undefined> => {
  const random = randomOf(seedFor(seed, what))
  const chosen = mood === 'mixed' ? mixed(random) : mood
  return random.pick(replies[chosen])(response)
}

const mixed = (random: Random): Exclude<Mood, 'mixed'> => {
  const drawn = random.next()
  return mixture.find(([upTo]) => drawn < upTo)?.[1] ?? 'well'
}
