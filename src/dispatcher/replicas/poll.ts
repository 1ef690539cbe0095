import { setTimeout as delay } from 'node:timers/promises'
import { Agent, errors, request } from 'undici'
import { repeat } from '../../async/repeat.ts'
import type { Log } from '../../telemetry/log.ts'
import type { Metrics } from '../../telemetry/metrics.ts'
import { originsOf, type PeerName } from './peers.ts'
import { createReplicas, type Replicas } from './replicas.ts'
import { isSnapshot, type Snapshot } from './snapshot.ts'

const everyMs = 1_000
const answerWithinMs = 1_000
/** How long the first look may take. */
const firstWithinMs = 2_000
/** A replica that came later is found within this. */
const resolveEveryMs = 5_000
/** Ten thousand subscriptions with the latest failure of each, and as many counts of those that are gone as are kept. */
const mostBytes = 32 * 1024 * 1024

export type PollOptions = {
  readonly peers: readonly PeerName[]
  /** The path at which replicas serve their snapshots. */
  readonly path: string
  /** This replica, which is among those that the names lead to. */
  readonly replica: string
  readonly metrics: Pick<Metrics, 'dispatcherReplicas' | 'dispatcherSnapshotAge'>
  readonly log: Log
  /** A replica is no more. */
  lost(): void
}

/** What another replica answered is no snapshot. */
class SnapshotError extends Error {
  override readonly name = 'ShareError'
}

/** Who answered at an origin last, and what was wrong with its latest answer. */
type Origin = { replica?: string; fault?: string }

export type Polling = {
  readonly replicas: Replicas
  /** Resolves once every replica that could be found was heard, or did not answer; within two seconds. */
  readonly received: Promise<unknown>
  /** Looks for replicas and hears them now; each has a second to answer. */
  again(): Promise<void>
  /** Leaves the others. */
  close(): Promise<void>
}

/** Hears what the other replicas see, about every second, until it is closed. */
export const pollPeers = (options: PollOptions): Polling => {
  const { peers, path, replica: self, metrics, log, lost } = options
  const replicas = createReplicas(self)
  const agent = new Agent({ connect: { timeout: answerWithinMs }, maxResponseSize: mostBytes })
  const origins = new Map<string, Origin>()
  const closing = new AbortController()

  /** Where each name led to, and whether it does not lead anywhere for now. */
  const listed = new Map<PeerName, { readonly origins: readonly string[]; readonly failed?: true }>()

  const lookUp = async (peer: PeerName): Promise<void> => {
    const before = listed.get(peer)
    try {
      listed.set(peer, { origins: await originsOf(peer) })
    } catch (error) {
      if (!before?.failed) log.warn({ ...peer, error }, 'Could not look up the other replicas')
      listed.set(peer, { origins: before?.origins ?? [], failed: true })
    }
  }

  const lookUpAll = async (): Promise<void> => {
    await Promise.all(peers.map(lookUp))
    const found = new Set([...listed.values()].flatMap((each) => each.origins))
    for (const base of found) if (!origins.has(base)) origins.set(base, {})
    // One that is about to end may have left the list already, and still counts.
    for (const [base, { replica }] of origins) if (!found.has(base) && !replicas.isAlive(replica)) origins.delete(base)
  }

  const ask = async (url: string, origin: Origin): Promise<void> => {
    const since = origin.replica === undefined ? 0 : replicas.since(origin.replica)
    const { statusCode, body } = await request(
      `${url}?by=${self}${since === 0 ? '' : `&since=${origin.replica}.${since}`}`,
      {
        dispatcher: agent,
        signal: AbortSignal.timeout(answerWithinMs),
      },
    )
    if (statusCode !== 200) {
      await body.dump()
      if (statusCode !== 204) throw new SnapshotError(`It answered ${statusCode}`)
      // Whoever is to tell everything always has something to tell, but for a process at this address that has only just begun.
      if (origin.replica !== undefined && since > 0) receive(origin.replica, undefined, url)
      return
    }
    const snapshot = parsed(await body.text())
    if (!isSnapshot(snapshot)) throw new SnapshotError('It answered something that is no snapshot')
    origin.replica = snapshot.replica
    if (snapshot.replica !== self) receive(snapshot.replica, snapshot, url)
  }

  const receive = (replica: string, snapshot: Snapshot | undefined, url: string): void => {
    if (replicas.received(replica, snapshot, Date.now())) log.info({ replica, url }, 'Heard another replica')
  }

  const tryToAsk = async (base: string, origin: Origin): Promise<void> => {
    const url = `${base}${path}`
    try {
      await ask(url, origin)
      delete origin.fault
    } catch (error) {
      // Replicas come and go; one that answers nonsense is a fault.
      if (!(error instanceof SnapshotError || error instanceof errors.ResponseExceededMaxSizeError)) return
      if (origin.fault !== error.message) log.warn({ url, error }, 'Could not make sense of a replica')
      origin.fault = error.message
    }
  }

  const round = async (): Promise<void> => {
    const others = [...origins].filter(([, { replica }]) => replica !== self)
    await Promise.all(others.map(([base, origin]) => tryToAsk(base, origin)))
    const silent = replicas.giveUp(Date.now())
    for (const replica of silent) log.info({ replica }, 'A replica fell silent')
    if (silent.length > 0) lost()
    metrics.dispatcherReplicas.set(replicas.count() + 1)
    metrics.dispatcherSnapshotAge.set(replicas.ageMs(Date.now()) / 1000)
  }

  const again = (): Promise<void> => lookUpAll().then(round)
  const first = again()
  void first.then(() =>
    Promise.all([repeat(resolveEveryMs, lookUpAll, closing.signal), repeat(everyMs, round, closing.signal)]),
  )
  return {
    replicas,
    received: Promise.race([first, delay(firstWithinMs, undefined, { ref: false })]),
    again,
    close() {
      closing.abort()
      return agent.destroy()
    },
  }
}

const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new SnapshotError('It answered something that is no JSON', { cause })
  }
}
