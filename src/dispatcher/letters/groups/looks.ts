import { idFrom, idOf, isDeleting } from '../../../api/resource.ts'
import { atMost } from '../../../async/limit.ts'
import type { Again, Wake } from '../../../reconcile/controller.ts'
import type { LettersOptions } from '../options.ts'
import { QueueInUseError } from '../queue-in-use.ts'
import { getSource, isQueue, isSourceKind, type LetterSource, listSources } from './letter-source.ts'
import { scan } from './scan.ts'

/** Each holds a queue for a moment, on a connection of its own. */
const atATime = 4
/** While letters come and go, looking takes at most about a tenth of the time. */
const restShare = 10
const shortestRestMs = 10_000
/** Who else consumes a dead-letter queue may do so for long. */
const inUseMs = 30_000
/** The broker alone puts dead letters of a Queue where they are, and nobody counts them: as many may be others. */
const queueAgainMs = 300_000

type Looked = { readonly at: string; readonly notBefore: number; readonly atMs: number }

/** Which dead-letter queues are to be looked at: those with other messages than at the last look. Keys are ids of sources. */
export const createLooks = (options: LettersOptions) => {
  const { store } = options
  const looked = new Map<string, Looked>()
  const inTurn = atMost(atATime)

  return {
    /** Those with dead letters, or whose status says so. */
    keys: (): string[] => listSources(store).filter(hasLetters).map(idOf),
    watch(wake: Wake): () => void {
      for (const source of listSources(store)) if (hasLetters(source)) wake(idOf(source))
      return store.onChange(({ kind, namespace, name }) => {
        if (!isSourceKind(kind)) return
        const key = idFrom(kind, namespace, name)
        const source = getSource(store, key)
        if (source && hasLetters(source) && looked.get(key)?.at !== stateOf(source)) wake(key)
      })
    },
    /** Looks, where there is something new and the last look was long enough ago. */
    async look(key: string, signal: AbortSignal): Promise<Again | undefined> {
      const source = getSource(store, key)
      if (source === undefined || isDeleting(source) || !hasLetters(source)) return undefined
      const at = stateOf(source)
      const before = looked.get(key)
      const dueMs = dueIn(source, before, at)
      if (dueMs === undefined) return undefined
      if (dueMs > 0) return { againMs: dueMs }
      const tookMs = await inTurn(() => timed(() => scan(source, options, signal))).catch((error: unknown) => {
        if (error instanceof QueueInUseError) return undefined
        throw error
      })
      if (tookMs === undefined) return { againMs: inUseMs }
      const now = performance.now()
      looked.set(key, { at, atMs: now, notBefore: now + Math.max(shortestRestMs, restShare * tookMs) })
      return isQueue(source) ? { againMs: queueAgainMs } : undefined
    },
    /** Something was done with the letters: the next look is needed whatever the status says. */
    expectChange(key: string): void {
      const before = looked.get(key)
      if (before) looked.set(key, { ...before, at: '' })
    },
    forget: (key: string): void => void looked.delete(key),
  }
}

/** In how many ms the next look is due; `undefined`: not before something changes. */
const dueIn = (source: LetterSource, before: Looked | undefined, at: string): number | undefined => {
  if (before === undefined) return 0
  // There is no queue to look at any more.
  if (source.status?.deadLetterQueue === undefined) return before.at === at ? undefined : 0
  const now = performance.now()
  if (before.at !== at) return before.notBefore - now
  return isQueue(source) ? Math.max(before.notBefore, before.atMs + queueAgainMs) - now : undefined
}

const timed = async (work: () => Promise<void>): Promise<number> => {
  const begun = performance.now()
  await work()
  return performance.now() - begun
}

const hasLetters = ({ status }: LetterSource): boolean =>
  (status?.deadLetters?.count ?? 0) > 0 || (status?.deadLetters?.scanned ?? 0) > 0

/** Changes when dead letters come or go. */
const stateOf = (source: LetterSource): string => {
  const { metadata, status } = source
  const deadLettered = isQueue(source) ? '' : source.status?.delivery?.deadLettered
  return `${metadata.uid} ${status?.deadLetters?.count} ${deadLettered} ${status?.deadLetterQueue}`
}
