import { called } from '../called.ts'
import { exits, Failure } from '../failure.ts'
import type { Remote, RemoteOptions } from './remote.ts'

/** Whether the options mean a cluster, as they always do for the plugin. */
export const isForCluster = ({ kubernetes, context, kubeconfig }: RemoteOptions): boolean =>
  called.isPlugin || kubernetes === true || context !== undefined || kubeconfig !== undefined

/** Connects to what the options name; nothing is sent yet. @throws Failure */
export const openRemote = async (options: RemoteOptions): Promise<Remote> => {
  if (!isForCluster(options)) return (await import('./local.ts')).localRemote(options)
  if (options.statusServer !== undefined)
    throw new Failure('--status-server is for waybill run, not for a cluster', { exitCode: exits.usage })
  return (await import('./cluster.ts')).clusterRemote(options)
}

/** Does something with what the options name. @throws Failure */
export const withRemote = async <T>(options: RemoteOptions, work: (remote: Remote) => Promise<T>): Promise<T> => {
  const remote = await openRemote(options)
  try {
    return await work(remote)
  } finally {
    await remote.close()
  }
}
