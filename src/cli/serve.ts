import { kinds } from '../api/kinds/kinds.ts'
import { apiVersion } from '../api/resource.ts'
import { ListenError, type ServerOptions, startServer } from '../server/server.ts'
import type { Store } from '../store/store.ts'
import { Failure } from './failure.ts'
import type { Process } from './process.ts'

export type ServeOptions = Pick<ServerOptions, 'listen' | 'readiness' | 'pages'> & {
  /** The resources; `undefined` until they are known. */
  store(): Pick<Store, 'list'> | undefined
  /** Whether to serve them too. */
  readonly resources: boolean
  /** Called before metrics are read. */
  measure?(): void
}

/** Serves health, metrics and the other pages until the end. @throws Failure where it cannot listen */
export const serve = async (
  { listen, readiness, pages = {}, store, resources, measure }: ServeOptions,
  { metrics, stop, end }: Process,
): Promise<{ readonly url: string }> => {
  const options: ServerOptions = {
    listen,
    metrics: () => {
      measure?.()
      const listed = store()
      if (listed) for (const kind of kinds) metrics.resources.set({ kind: kind.kind }, listed.list(kind).length)
      return metrics.registry.metrics()
    },
    readiness: { ...readiness, 'not stopping': () => !stop.aborted },
    apiVersion,
    kinds: resources
      ? kinds.map((kind) => ({ kind: kind.kind, plural: kind.plural, list: () => store()?.list(kind) ?? [] }))
      : [],
    pages,
  }
  return startServer(options, end.signal).catch((error: unknown) => {
    if (error instanceof ListenError) throw new Failure(error.message, { cause: error })
    throw error
  })
}
