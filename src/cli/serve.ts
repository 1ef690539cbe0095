import { kinds } from '../api/kinds/kinds.ts'
import { apiVersion } from '../api/resource.ts'
import { healthRoutes } from '../server/health.ts'
import { ListenError } from '../server/listen.ts'
import { metricsRoutes } from '../server/metrics.ts'
import { type Page, pageRoutes } from '../server/pages.ts'
import { resourceRoutes } from '../server/resources.ts'
import { startServer } from '../server/server.ts'
import { measureResources } from '../store/measure-resources.ts'
import type { Store } from '../store/store.ts'
import { Failure } from './failure.ts'
import type { Process } from './process.ts'

export type ServeOptions = {
  /** `host:port`, `[::1]:port`, or `:port` for every address. */
  readonly listen: string
  /** Named checks, which must all hold for the process to be ready. */
  readonly readiness: Readonly<Record<string, () => boolean>>
  /** Further pages, by path. */
  readonly pages?: Readonly<Record<string, Page>>
  /** The resources; `undefined` until they are known. */
  store(): Pick<Store, 'list'> | undefined
  /** Whether to serve them too. */
  readonly resources: boolean
  /** Called before metrics are read. */
  measure?(): void
}

/** Serves the pages of a process until its end. @throws Failure where it cannot listen */
export const serve = async (
  { listen, readiness, pages = {}, store, resources, measure }: ServeOptions,
  { metrics, stop, end }: Process,
): Promise<{ readonly url: string }> => {
  const metricsText = (): Promise<string> => {
    measure?.()
    const listed = store()
    if (listed) measureResources(listed, metrics)
    return metrics.registry.metrics()
  }
  const served = kinds.map((kind) => ({
    kind: kind.kind,
    plural: kind.plural,
    list: () => store()?.list(kind) ?? [],
  }))
  const routes = [
    metricsRoutes(metricsText),
    healthRoutes({ ...readiness, 'not stopping': () => !stop.aborted }),
    ...(resources ? [resourceRoutes(apiVersion, served)] : []),
    pageRoutes(pages),
  ]
  return startServer({ listen, routes }, end.signal).catch(failedToListen)
}

/** An address that cannot be listened on is one that a person can change. @throws Failure then, else the error itself */
export const failedToListen = (error: unknown): never => {
  throw error instanceof ListenError ? new Failure(error.message, { cause: error }) : error
}
