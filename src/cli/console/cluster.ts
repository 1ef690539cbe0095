import { aborted } from '../../async/abort.ts'
import { createConsole } from '../../console/app.ts'
import { clusterBackends } from '../../console/backends/cluster.ts'
import { createDataPort, type DataPort } from '../../console/backends/data-port.ts'
import { claimsOf } from '../../console/session.ts'
import { healthRoutes } from '../../server/health.ts'
import { isLoopbackName } from '../../server/letters/local-access.ts'
import { hostAndPort, isLoopback, isLoopbackUrl } from '../../server/listen.ts'
import type { Tls } from '../../server/secure.ts'
import { startServer } from '../../server/server.ts'
import { createClient } from '../../store/kubernetes/api/client.ts'
import type { Cluster } from '../../store/kubernetes/cluster/cluster.ts'
import type { LogLevel } from '../../telemetry/log.ts'
import { clusterOrFailure } from '../cluster.ts'
import { tlsFiles } from '../data/tls.ts'
import { Failure } from '../failure.ts'
import { startProcess } from '../process.ts'
import { failedToListen } from '../serve.ts'
import { consoleRoutes } from './routes.ts'

export type ConsoleOptions = {
  readonly listen: string
  readonly dataServer?: string
  /** A file in PEM. */
  readonly dataCa?: string
  /** Files in PEM. */
  readonly tlsCert?: string
  readonly tlsKey?: string
  readonly tlsInFront?: boolean
  readonly trustAuthorizationHeader?: boolean
  readonly logLevel?: LogLevel
}

/** The console of a cluster, until SIGTERM or SIGINT. @throws Failure */
export const runConsole = async (options: ConsoleOptions): Promise<void> => {
  const { listen, trustAuthorizationHeader: trustsAuthorization = false } = options
  const tls = orFailure(() => tlsOf(options))
  const data = dataOf(options)
  const own = startProcess(options)
  const { log, stop, end } = own
  const cluster = await clusterOrFailure()
  const client = createClient(withoutCredentials(cluster), { component: 'waybill-console', metrics: nothingCounted })
  const backends = clusterBackends({ client, data, apiAudience: await apiAudienceOf(cluster) })
  const app = createConsole({
    ...{ backends, trustsAuthorization, name: 'waybill-console' },
    isOurHost: () => true,
    // On this machine, as through kubectl port-forward, browsers do not need HTTPS; Safari would refuse the cookie.
    isSecure: (host) => tls !== undefined || !isLoopbackName(host),
    failed: (error) => log.error({ error }, 'Could not answer a request for the console'),
  })
  const routes = [healthRoutes({ 'not stopping': () => !stop.aborted }), consoleRoutes(() => app)]
  const { url } = await startServer({ listen, routes, ...(tls ? { tls } : {}) }, end.signal).catch(failedToListen)
  log.info({ url, server: cluster.server, dataServer: options.dataServer }, 'Started')
  await aborted(stop)
  end.abort()
  await Promise.all([client.close(), data?.close()])
  log.info({}, 'Stopped')
}

const orFailure = <T>(work: () => T): T => {
  try {
    return work()
  } catch (error) {
    return failedToListen(error)
  }
}

const nothingCounted = { apiRequests: { inc: () => undefined } }

/** Whom to trust, and nothing of who we are: each request has the token of its user. */
const withoutCredentials = (cluster: Cluster): Cluster => ({
  ...{ server: cluster.server, namespace: cluster.namespace },
  headers: async () => ({}),
  get tls() {
    const { cert: _cert, key: _key, ...trusted } = cluster.tls
    return trusted
  },
})

const usualAudience = 'https://kubernetes.default.svc.cluster.local'

/** What tokens for the API server are made for: the pod's own one says it. It is used for nothing else. */
const apiAudienceOf = async (cluster: Cluster): Promise<string> => {
  const { authorization = '' } = await cluster.headers()
  const aud = claimsOf(authorization.replace(/^Bearer /, ''))?.aud
  const [first] = Array.isArray(aud) ? aud : [aud]
  return typeof first === 'string' && /^[\x21-\x7e]{1,256}$/.test(first) ? first : usualAudience
}

const tlsOf = ({ listen, tlsCert, tlsKey, tlsInFront = false }: ConsoleOptions): Tls | undefined => {
  const tls = tlsFiles(tlsCert, tlsKey)
  tls?.()
  if (tls || tlsInFront || isLoopback(hostAndPort(listen).host)) return tls
  const why = 'tokens must not be sent unencrypted'
  const how = 'give --tls-cert and --tls-key, a loopback address, or --tls-in-front where a proxy does TLS'
  throw new Failure(`Cannot listen on ${listen}: ${why}: ${how}`)
}

const dataOf = ({ dataServer, dataCa }: ConsoleOptions): DataPort | undefined => {
  if (dataServer === undefined) return undefined
  const server = URL.canParse(dataServer) ? new URL(dataServer) : undefined
  if (server?.protocol === 'https:' || (server?.protocol === 'http:' && isLoopbackUrl(server)))
    return createDataPort({ server, ca: dataCa })
  throw new Failure(`--data-server must be a URL such as https://waybill-data:9403, found "${dataServer}"`)
}
