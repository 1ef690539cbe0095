import type { Log } from '../broker.ts'
import { findAssets } from './assets.ts'
import { installCrds } from './crds.ts'
import { type RunningApiServer, startServer } from './server.ts'

/**
 * Starts an API server with Waybill's CRDs. If that is not possible, throws under `CI`; otherwise prints a warning and
 * returns `undefined`, and the tests that need it are skipped.
 */
export const findApiServer = async ({
  log,
  env = process.env,
}: {
  log: Log
  env?: NodeJS.ProcessEnv
}): Promise<RunningApiServer | undefined> => {
  const assets = await findAssets(log, env).catch((error: Error) => error)
  if (assets instanceof Error) {
    if (env.CI) throw new Error(whatToDo(assets), { cause: assets })
    log(whatToDo(assets))
    return undefined
  }
  log('Starting an API server (about 4 s)…')
  const server = await startServer(assets)
  await installCrds(server)
  return server
}

const whatToDo = ({ message }: Error): string =>
  `
###############################################################################
  NO API SERVER: every test that needs Kubernetes is SKIPPED.

  ${message.replaceAll('\n', '\n  ')}

  Do one of these:
    install Go 1.26 or newer (https://go.dev/dl), which builds it once
    export KUBEBUILDER_ASSETS=<folder of etcd, kube-apiserver, kubectl and helm>
###############################################################################
`
