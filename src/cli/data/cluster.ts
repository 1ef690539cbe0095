import { group } from '../../api/resource.ts'
import { createDeadLetters } from '../../dispatcher/data/dead-letters.ts'
import { audience, clusterAccess } from '../../server/letters/cluster-access.ts'
import { historyRoutes, type ServedHistory } from '../../server/letters/history.ts'
import { letterRoutes } from '../../server/letters/routes.ts'
import { hostAndPort, isLoopback } from '../../server/listen.ts'
import type { Tls } from '../../server/secure.ts'
import { type ServerOptions, startServer } from '../../server/server.ts'
import { isAllowed, userOf } from '../../store/kubernetes/access/reviews.ts'
import type { Client } from '../../store/kubernetes/api/client.ts'
import type { Store } from '../../store/store.ts'
import { Failure } from '../failure.ts'
import type { Process } from '../process.ts'
import { failedToListen } from '../serve.ts'
import { dataOption, defaultDataListen, failedWith } from './address.ts'
import { dataNotice } from './notice.ts'
import { tlsFiles } from './tls.ts'

export type ClusterDataOptions = {
  /** `host:port`, `[::1]:port`, or `:port` for every address; a loopback address where there is no certificate. */
  readonly dataListen?: string
  /** Files in PEM. */
  readonly dataTlsCert?: string
  readonly dataTlsKey?: string
}

/** How dead letters are served: `undefined` where they are not. @throws Failure where they would be sent unencrypted */
export const dataListener = ({ dataListen, dataTlsCert, dataTlsKey }: ClusterDataOptions): Listener | undefined => {
  if (dataListen === undefined) return undefined
  try {
    const tls = tlsOf(dataListen, dataTlsCert, dataTlsKey)
    tls?.()
    return { listen: dataListen, option: dataOption, longRequests: true, ...(tls ? { tls } : {}) }
  } catch (error) {
    return failedToListen(error)
  }
}

type Listener = Omit<ServerOptions, 'routes'>

/**
 * Serves the dead letters to those whom the cluster's rules allow it, until the process ends. Resolves to what its Lease says
 * of that.
 *
 * @throws Failure where it cannot listen, or the certificate cannot be used
 */
export const serveClusterData = async (
  listener: Listener | undefined,
  { client, store, history }: { readonly client: Client; readonly store: Store; readonly history: ServedHistory },
  { log, end }: Process,
): Promise<ReturnType<typeof dataNotice>> => {
  if (listener === undefined) return dataNotice(undefined)
  const { signal } = end
  const access = clusterAccess(
    {
      userOf: (token) => userOf(client, token, audience, signal),
      isAllowed: (user, attributes) => isAllowed(client, user, attributes, signal),
    },
    { group, failed: (error) => log.warn({ error }, 'Could not ask the API server who may see dead letters') },
  )
  const routes = [letterRoutes(createDeadLetters({ store, log }, signal), access), historyRoutes(history, access)]
  try {
    const { url } = await startServer({ ...listener, routes, failed: failedWith(log) }, signal)
    log.info({ dataPort: url }, 'Serving dead letters')
    return dataNotice({ port: Number(new URL(url).port), tls: listener.tls })
  } catch (error) {
    return failedToListen(error)
  }
}

const tlsOf = (listen: string, cert: string | undefined, key: string | undefined): Tls | undefined => {
  const { host } = hostAndPort(listen, defaultDataListen)
  const tls = tlsFiles(cert, key)
  if (tls) return tls
  if (cert === undefined && key === undefined && isLoopback(host)) return undefined
  const why = 'tokens and messages must not be sent unencrypted'
  throw new Failure(
    `Cannot listen on ${listen}: ${why}: give --data-tls-cert and --data-tls-key, or a loopback address`,
  )
}
