import type { Log } from '../../telemetry/log.ts'
import { originsOf, type PeerName } from './peers.ts'

/** An address that was looked up, and what is known of the replica there. */
export type Origin = {
  readonly base: string
  /** Which replica answered last. */
  replica?: string
  /** What was wrong with its latest answer. */
  fault?: string
  /** It sent an observation that this version cannot read. */
  sentUnreadable?: true
}

export type Origins = {
  /** Those that the latest look-up found, and those of replicas that are still alive. */
  all(): readonly Origin[]
  /** Looks up all names. A name that cannot be looked up keeps its addresses. */
  lookUp(): Promise<void>
}

/** The addresses of all replicas; `isAlive` says whether a replica answered lately. */
export const createOrigins = (
  peers: readonly PeerName[],
  isAlive: (replica: string | undefined) => boolean,
  log: Log,
): Origins => {
  const origins = new Map<string, Origin>()
  /** The addresses of each name, and whether the latest look-up failed. */
  const listed = new Map<PeerName, { readonly origins: readonly string[]; readonly failed?: true }>()

  const lookUpOne = async (peer: PeerName): Promise<void> => {
    const before = listed.get(peer)
    try {
      listed.set(peer, { origins: await originsOf(peer) })
    } catch (error) {
      if (!before?.failed) log.warn({ ...peer, error }, 'Could not look up the other replicas')
      listed.set(peer, { origins: before?.origins ?? [], failed: true })
    }
  }

  return {
    all: () => [...origins.values()],
    async lookUp() {
      await Promise.all(peers.map(lookUpOne))
      const found = new Set([...listed.values()].flatMap((each) => each.origins))
      for (const base of found) if (!origins.has(base)) origins.set(base, { base })
      // A replica that is about to end may have left the list already, and still counts.
      for (const [base, { replica }] of origins) if (!found.has(base) && !isAlive(replica)) origins.delete(base)
    },
  }
}
