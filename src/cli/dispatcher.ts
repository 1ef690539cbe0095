import { milliseconds } from '../api/duration.ts'
import { type Running, snapshotPath, startDispatcher } from '../dispatcher/main.ts'
import { type ClusterOptions, joinCluster, namesOf } from './cluster.ts'
import { type ClusterDataOptions, dataListener, serveClusterData } from './data/cluster.ts'
import { startProcess } from './process.ts'
import { serve } from './serve.ts'

export type DispatcherOptions = ClusterOptions &
  ClusterDataOptions & {
    /** How long deliveries in flight may take to end, as a duration. */
    readonly drainTimeout: string
    readonly allowLoopback?: boolean
    /** `host:port` of all replicas. */
    readonly peers?: readonly string[]
  }

/** The dispatcher on Kubernetes, of which any number deliver and one writes, until SIGTERM or SIGINT. @throws Failure */
export const dispatcher = async (options: DispatcherOptions): Promise<void> => {
  const { listen, drainTimeout, allowLoopback = false, peers = [] } = options
  const listener = dataListener(options)
  const own = startProcess(options, 'dispatcher')
  const { log, metrics, stop } = own
  const tracing = await own.tracing('waybill-dispatcher')
  const member = await joinCluster('waybill-dispatcher', options, own)
  let running: Running | undefined
  let store: Awaited<ReturnType<typeof member.open>>
  const { url } = await serve(
    {
      listen,
      store: () => store,
      resources: false,
      readiness: { dispatcher: () => running?.ready() ?? false },
      pages: { [snapshotPath]: (query) => running?.snapshot(query) },
    },
    own,
  )
  log.info({ url, server: member.server, ...namesOf(options), peers }, 'Started')

  store = await member.open()
  if (store && !stop.aborted) {
    const drainTimeoutMs = milliseconds(drainTimeout)
    const served = {
      client: member.client,
      store,
      history: (...of: Parameters<Running['history']>) => running?.history(...of),
    }
    const notice = await serveClusterData(listener, served, own)
    running = startDispatcher({ store, log, metrics, tracing, allowLoopback, drainTimeoutMs, peers }, stop)
    await Promise.all([running.done, member.lead(running.report, notice)])
  }
  await member.close()
  await own.stopped()
}
