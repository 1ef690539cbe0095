import { subscription as kind, type Subscription } from '../../api/kinds/subscription.ts'
import { isDeleting, keyFrom, keyOf, namedBy } from '../../api/resource.ts'
import { atMost } from '../../async/limit.ts'
import type { Again, Wake } from '../../reconcile/controller.ts'
import type { LettersOptions } from './options.ts'
import { QueueInUseError } from './queue-in-use.ts'
import { scan } from './scan.ts'

/** Each holds a queue for a moment, on a connection of its own. */
const atATime = 4
/** While letters come and go, looking takes at most about a tenth of the time. */
const restShare = 10
const shortestRestMs = 10_000
/** Who else consumes a dead-letter queue may do so for long. */
const inUseMs = 30_000

type Looked = { readonly at: string; readonly notBefore: number }

/** Which dead-letter queues are to be looked at: those with other messages than at the last look. */
export const createLooks = (options: LettersOptions) => {
  const { store } = options
  const looked = new Map<string, Looked>()
  const inTurn = atMost(atATime)

  return {
    /** Those with dead letters, or whose status says so. */
    keys: (): string[] => store.list(kind).filter(hasLetters).map(keyOf),
    watch(wake: Wake): () => void {
      for (const subscription of store.list(kind)) if (hasLetters(subscription)) wake(keyOf(subscription))
      return store.onChange(({ kind: changed, namespace, name }) => {
        if (changed !== kind.kind) return
        const subscription = store.get(kind, namespace, name)
        const key = keyFrom(namespace, name)
        if (subscription && hasLetters(subscription) && looked.get(key)?.at !== stateOf(subscription)) wake(key)
      })
    },
    /** Looks, where there is something new and the last look was long enough ago. */
    async look(key: string, signal: AbortSignal): Promise<Again | undefined> {
      const subscription = store.get(kind, ...namedBy(key))
      if (subscription === undefined || isDeleting(subscription) || !hasLetters(subscription)) return undefined
      const at = stateOf(subscription)
      const before = looked.get(key)
      if (before?.at === at) return undefined
      const restsMs = (before?.notBefore ?? 0) - performance.now()
      if (restsMs > 0) return { againMs: restsMs }
      const tookMs = await inTurn(() => timed(() => scan(subscription, options, signal))).catch((error: unknown) => {
        if (error instanceof QueueInUseError) return undefined
        throw error
      })
      if (tookMs === undefined) return { againMs: inUseMs }
      looked.set(key, { at, notBefore: performance.now() + Math.max(shortestRestMs, restShare * tookMs) })
      return undefined
    },
    /** Something was done with the letters: the next look is needed whatever the status says. */
    expectChange(key: string): void {
      const before = looked.get(key)
      if (before) looked.set(key, { ...before, at: '' })
    },
    forget: (key: string): void => void looked.delete(key),
  }
}

const timed = async (work: () => Promise<void>): Promise<number> => {
  const begun = performance.now()
  await work()
  return performance.now() - begun
}

const hasLetters = ({ status }: Subscription): boolean =>
  (status?.deadLetters?.count ?? 0) > 0 || (status?.deadLetters?.scanned ?? 0) > 0

/** Changes when dead letters come or go. */
const stateOf = ({ metadata, status }: Subscription): string =>
  `${metadata.uid} ${status?.deadLetters?.count} ${status?.delivery?.deadLettered} ${status?.deadLetterQueue}`
