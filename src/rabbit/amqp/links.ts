import { type Link, Quarantine, sharedLink } from '../losses/quarantine.ts'
import type { Connection, Loss } from './connection.ts'
import type { AmqpLog, Unreadable } from './port.ts'

/** Where the consumers of a queue are to be. */
export type Seat = {
  /** The connection to consume on; `undefined` while the queue is not consumed. */
  readonly connection: Connection | undefined
  readonly oneByOne: boolean
  readonly unreadable: Unreadable | undefined
  /** Aborts when any of this changes; then `seatOf` has the new one. */
  readonly moved: AbortSignal
}

export type Links = {
  readonly shared: Connection
  /** A queue has one more consumer; call the returned function when it has gone. */
  enter(queue: string): () => void
  seatOf(queue: string): Seat
  /** Closes all connections. */
  close(signal: AbortSignal): Promise<void>
}

export type LinksOptions = {
  connect(purpose: string): Connection
  /** A connection that consumes nothing: while it is up, the broker is. */
  readonly control: Connection
  readonly log: AmqpLog
  /** Resolves once nothing in hand came over this connection. */
  drained(connection: Connection): Promise<void>
}

type Seated = { consumers: number; seat: Seat; readonly move: AbortController }

/** The connections to consume on: one shared by all queues, and others while the quarantine keeps queues apart. */
export const openLinks = ({ connect, control, log, drained }: LinksOptions): Links => {
  const quarantine = new Quarantine()
  const links = new Map<Link, Connection>()
  const closing = new Set<Promise<void>>()
  const seated = new Map<string, Seated>()
  const closed = new AbortController()
  let controlSince: number | undefined
  let timer: NodeJS.Timeout | undefined

  const open = (link: Link): Connection => {
    const connection = connect(link === sharedLink ? 'consume' : `consume ${link}`)
    let isUp = false
    connection.onState(() => {
      const wasUp = isUp
      isUp = connection.state.is !== 'down'
      if (!isUp || wasUp) return
      quarantine.opened(link, Date.now())
      schedule()
    })
    connection.onLoss(({ end }) => {
      quarantine.lost(link, lossOf(end), controlSince, Date.now())
      follow()
    })
    links.set(link, connection)
    return connection
  }

  const shut = (link: Link, connection: Connection): void => {
    links.delete(link)
    const gone = drained(connection)
      .then(() => connection.close(closed.signal))
      .finally(() => closing.delete(gone))
    closing.add(gone)
  }

  const newSeat = (queue: string): Omit<Seated, 'consumers'> => {
    const place = quarantine.placeOf(queue)
    const culprit = quarantine.culpritOf(queue)
    const move = new AbortController()
    const isOnLink = 'link' in place
    const seat: Seat = {
      connection: isOnLink ? links.get(place.link) : undefined,
      oneByOne: isOnLink && place.oneByOne,
      unreadable: culprit && { queue, since: culprit.since, cause: culprit.cause, againAt: culprit.againAt },
      moved: move.signal,
    }
    return { seat, move }
  }

  const say = (queue: string, before: Unreadable | undefined, now: Unreadable | undefined): void => {
    if (!before && now)
      log.warn(
        { queue, reason: now.cause },
        'Set a queue apart: a message in it ends the connection on which it is delivered',
      )
    if (before && !now) log.info({ queue }, 'A queue that was set apart is consumed again')
  }

  /** Makes connections and seats what the quarantine says. */
  const follow = (): void => {
    if (closed.signal.aborted) return
    const wanted = quarantine.links
    for (const link of wanted) if (!links.has(link)) open(link)
    for (const [queue, before] of seated) {
      const now = newSeat(queue)
      if (isSame(before.seat, now.seat)) continue
      say(queue, before.seat.unreadable, now.seat.unreadable)
      seated.set(queue, { ...now, consumers: before.consumers })
      before.move.abort()
    }
    // After the seats have moved: nobody waits for a connection that is closed for good.
    for (const [link, connection] of links) if (!wanted.has(link)) shut(link, connection)
    schedule()
  }

  const schedule = (): void => {
    clearTimeout(timer)
    const at = quarantine.nextAt
    if (at === undefined) return
    timer = setTimeout(
      () => {
        quarantine.tick(Date.now())
        follow()
      },
      Math.max(0, at - Date.now()),
    )
  }

  const shared = open(sharedLink)
  control.onState(() => {
    controlSince = control.state.is === 'down' ? undefined : (controlSince ?? Date.now())
  })

  const leave = (queue: string): void => {
    const each = seated.get(queue)
    if (each === undefined) return
    each.consumers -= 1
    if (each.consumers > 0) return
    seated.delete(queue)
    quarantine.remove(queue)
    follow()
  }

  return {
    shared,
    enter(queue) {
      quarantine.add(queue)
      const each = seated.get(queue) ?? { ...newSeat(queue), consumers: 0 }
      each.consumers += 1
      seated.set(queue, each)
      return () => leave(queue)
    },
    seatOf: (queue) => seated.get(queue)?.seat ?? newSeat(queue).seat,
    async close(signal) {
      clearTimeout(timer)
      const all = [...links.values()].map((connection) => connection.close(signal))
      signal.addEventListener('abort', () => closed.abort())
      await Promise.all(all)
      closed.abort()
      await Promise.all(closing)
    },
  }
}

const lossOf = ({ by, code, text }: Loss['end']) => ({
  ...{ by: by === 'us' ? 'socket' : by, text },
  ...(code === undefined ? {} : { code }),
})

const isSame = (one: Seat, other: Seat): boolean =>
  one.connection === other.connection &&
  one.oneByOne === other.oneByOne &&
  one.unreadable?.since === other.unreadable?.since &&
  one.unreadable?.againAt === other.unreadable?.againAt
