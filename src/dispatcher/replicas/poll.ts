import { setTimeout as delay } from 'node:timers/promises'
import { repeat } from '../../async/repeat.ts'
import type { Log } from '../../telemetry/log.ts'
import type { Metrics } from '../../telemetry/metrics.ts'
import { createOrigins, type Origin } from './origins.ts'
import type { PeerName } from './peers.ts'
import { UnreadableError } from './reading.ts'
import { createReplicas, type Replicas } from './replicas.ts'
import { SnapshotError, snapshotRequests } from './request-snapshot.ts'
import { readSnapshot, type Snapshot } from './snapshot.ts'

const everyMs = 1_000
/** How long the first round may take. */
const firstWithinMs = 2_000
/** A replica that starts later is found within this. */
const lookUpEveryMs = 5_000

export type PollOptions = {
  readonly peers: readonly PeerName[]
  /** The path at which replicas serve their snapshots. */
  readonly path: string
  /** This replica, which is among those that the names lead to. */
  readonly replica: string
  readonly metrics: Pick<Metrics, 'dispatcherReplicas' | 'dispatcherSnapshotAge'>
  readonly log: Log
  /** A replica is gone. */
  lost(): void
}

export type Polling = {
  readonly replicas: Replicas
  /** Resolves once every replica that was found has answered, or failed to; within two seconds. */
  readonly received: Promise<unknown>
  /** Looks up and asks the replicas now; each has a second to answer. */
  again(): Promise<void>
  /** Stops polling. */
  close(): Promise<void>
}

/** Asks the other replicas for their snapshots, about every second, until it is closed. */
export const pollPeers = (options: PollOptions): Polling => {
  const { peers, metrics, log, lost } = options
  const replicas = createReplicas(options.replica)
  const origins = createOrigins(peers, replicas.isAlive, log)
  const requests = snapshotRequests()
  const closing = new AbortController()
  const poll = createPoll(options, replicas, requests.get)

  const pollAll = async (): Promise<void> => {
    await Promise.all(origins.all().map(poll))
    const gone = replicas.giveUp(Date.now())
    for (const replica of gone) log.info({ replica }, 'Lost contact with a replica')
    if (gone.length > 0) lost()
    metrics.dispatcherReplicas.set(replicas.count() + 1)
    metrics.dispatcherSnapshotAge.set(replicas.ageMs(Date.now()) / 1000)
  }

  const again = (): Promise<void> => origins.lookUp().then(pollAll)
  const first = again()
  void first.then(() =>
    Promise.all([repeat(lookUpEveryMs, origins.lookUp, closing.signal), repeat(everyMs, pollAll, closing.signal)]),
  )
  return {
    replicas,
    received: Promise.race([first, delay(firstWithinMs, undefined, { ref: false })]),
    again,
    close() {
      closing.abort()
      return requests.close()
    },
  }
}

/** What polls one replica; never rejects. */
const createPoll = (
  { path, replica: self, log }: PollOptions,
  replicas: Replicas,
  get: (url: string) => Promise<unknown>,
): ((origin: Origin) => Promise<void>) => {
  const receive = (replica: string, snapshot: Snapshot | undefined, url: string): void => {
    if (replicas.received(replica, snapshot, Date.now())) log.info({ replica, url }, 'Found another replica')
  }

  const ask = async (origin: Origin, url: string): Promise<void> => {
    const since = origin.replica === undefined ? 0 : replicas.since(origin.replica)
    const answer = await get(`${url}?by=${self}${since === 0 ? '' : `&since=${origin.replica}.${since}`}`)
    if (answer === undefined) {
      // A full snapshot is never empty, except from a process that just started at this address.
      if (origin.replica !== undefined && since > 0) receive(origin.replica, undefined, url)
      return
    }
    const snapshot = readSnapshot(answer, (error) => {
      if (!origin.sentUnreadable) log.warn({ url, error }, 'Another replica sent an invalid observation')
      origin.sentUnreadable = true
    })
    origin.replica = snapshot.replica
    if (snapshot.replica !== self) receive(snapshot.replica, snapshot, url)
  }

  return async (origin) => {
    if (origin.replica === self) return
    const url = `${origin.base}${path}`
    try {
      await ask(origin, url)
      delete origin.fault
    } catch (error) {
      // That a replica does not answer is normal when replicas start and stop; an invalid response is a fault.
      if (!(error instanceof SnapshotError || error instanceof UnreadableError)) return
      if (origin.fault !== error.message) log.warn({ url, error }, 'Another replica sent an invalid response')
      origin.fault = error.message
    }
  }
}
