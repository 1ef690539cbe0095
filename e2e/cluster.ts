import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { type CommandOptions, run } from './command.ts'

export type Cluster = {
  /** Which cluster it is, for the report. */
  readonly origin: string
  kubectl(args: readonly string[], options?: CommandOptions): Promise<string>
  helm(args: readonly string[], options?: CommandOptions): Promise<string>
  /** KUBECONFIG and PATH of kubectl and helm. */
  readonly env: NodeJS.ProcessEnv
  /** The folder of the scripts that created it, if they did. */
  readonly scripts?: string
  /** Stops a cluster that was started for this run. */
  stop(): Promise<void>
}

const scripts = fileURLToPath(new URL('../../shared/cluster', import.meta.url))

/**
 * The cluster of `KUBECONFIG` or of kubectl's current context, else the one that `../shared/cluster` starts.
 *
 * @throws when there is none; the message says what to do
 */
export const findCluster = async (log: (line: string) => void): Promise<Cluster> => {
  const made = existsSync(`${scripts}/env`) ? await madeEnv() : undefined
  const given = process.env.KUBECONFIG
  const context = given ?? (await run('kubectl', ['config', 'current-context']).catch(() => undefined))?.trim()
  if (context && given !== made?.KUBECONFIG) {
    return clusterOf({ origin: `the cluster of ${context}`, env: process.env })
  }
  if (made === undefined) {
    throw new Error(
      'No cluster found. Set KUBECONFIG or the current context of kubectl, for example with: kind create cluster',
    )
  }
  const wasUp = await run('kubectl', ['get', '--raw', '/readyz'], { env: made, timeoutMs: 10_000 }).catch(() => '')
  if (wasUp !== 'ok') log('Starting a cluster (about 10 minutes the first time)…')
  await run(`${scripts}/up`, [], { timeoutMs: 30 * 60_000 })
  const cluster = clusterOf({ origin: 'the cluster of ../shared/cluster', env: made, scripts })
  return wasUp === 'ok' ? cluster : { ...cluster, stop: async () => void (await run(`${scripts}/down`, [])) }
}

const clusterOf = (found: Pick<Cluster, 'origin' | 'env' | 'scripts'>): Cluster => ({
  ...found,
  kubectl: (args, options) => run('kubectl', args, { env: found.env, ...options }),
  helm: (args, options) => run('helm', args, { env: found.env, ...options }),
  stop: async () => {},
})

const madeEnv = async (): Promise<NodeJS.ProcessEnv> => {
  const text = await run('bash', ['-c', 'eval "$("$0/env")" && printf "%s\\n%s" "$KUBECONFIG" "$PATH"', scripts])
  const [KUBECONFIG, PATH] = text.split('\n')
  return { ...process.env, KUBECONFIG, PATH }
}
