import { type Condition, isTrue } from '../../src/api/conditions.ts'
import { listWatch } from '../../src/store/kubernetes/watch/list-watch.ts'
import type { Cluster } from './cluster.ts'

type Listed = { readonly metadata: { readonly name: string }; readonly status?: { readonly conditions?: Condition[] } }

export type Readiness = {
  /** Resolves when all are Ready, rejects when the signal aborts before. */
  readonly done: Promise<void>
  /** The progress, as a sentence. */
  progress(): string
}

const ignored = { inc: () => undefined, set: () => undefined }
const metrics = { lists: ignored, watchEnds: ignored, watchReceived: ignored }
const log = { debug: () => undefined, error: () => undefined }

/** Watches collections until `count` objects are Ready: a watch costs the API server next to nothing. */
export const untilReady = async (
  { client }: Cluster,
  paths: readonly string[],
  count: number,
  signal: AbortSignal,
): Promise<Readiness> => {
  const over = new AbortController()
  const ready = new Set<string>()
  const { promise: done, resolve, reject } = Promise.withResolvers<void>()
  signal.addEventListener('abort', () => reject(signal.reason), { once: true })

  const follow = async (path: string): Promise<void> => {
    const changed = (object: unknown): void => {
      const { metadata, status } = object as Listed
      const id = `${path}/${metadata.name}`
      if (isTrue(status?.conditions, 'Ready')) ready.add(id)
      else ready.delete(id)
      if (ready.size === count) resolve()
    }
    const sink = {
      replace: (items: readonly unknown[]) => items.forEach(changed),
      changed,
      gone: () => {},
      now: () => 0,
    }
    const { promise: listed, resolve: hasListed } = Promise.withResolvers<void>()
    const hooks = { listed: hasListed, failed: () => {}, recovered: () => {} }
    const options = { client, path, labels: { kind: path, namespace: '' }, sink, metrics, log, ...hooks }
    void listWatch(options, AbortSignal.any([signal, over.signal]))
    await listed
  }

  await Promise.all(paths.map(follow))
  // A rejection is reported to those who await `done`.
  done.catch(() => undefined).finally(() => over.abort())
  return { done, progress: () => `${ready.size} of ${count} are Ready` }
}
