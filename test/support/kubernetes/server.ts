import { randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { isFree } from '../free-port.ts'
import { startTethered, type Tethered } from '../tethered.ts'
import type { Assets } from './assets.ts'
import { command } from './command.ts'
import { apiServerFlags, etcdFlags, type Ports, writeSecrets } from './flags.ts'
import { kubeconfig } from './kubeconfig.ts'

/** The environment variable in which jest's global setup leaves its API server for the tests. */
export const variable = 'WAYBILL_TEST_API_SERVER'

/** How to reach an API server; plain data, so that it can be handed to other processes. */
export type ApiServer = {
  /** Such as https://127.0.0.1:10002. */
  readonly url: string
  /** PEM file of the authority that signed its certificate. */
  readonly caFile: string
  /** Path of a kubeconfig for a user in system:masters. */
  readonly kubeconfig: string
  /** The token in it. */
  readonly token: string
  /** A folder that is removed with the server. */
  readonly folder: string
  readonly assets: Assets
}

export type RunningApiServer = ApiServer & {
  /**
   * Sends a signal to kube-apiserver alone: SIGKILL for a crash, SIGSTOP and SIGCONT for silence. etcd keeps running.
   */
  signal(signal: NodeJS.Signals): void
  /** Stops kube-apiserver and keeps its data. */
  pause(): Promise<void>
  /** Starts kube-apiserver again after a pause or a crash: same address, certificate and data. */
  resume(): Promise<void>
  /** Stops both and removes their folder. */
  stop(): Promise<void>
}

/** Starts etcd and kube-apiserver, which cannot outlive this process; resolves when they are ready (about 4 s). */
export const startServer = async (assets: Assets): Promise<RunningApiServer> => {
  const { folder, ports } = await reserveFolder()
  const token = randomBytes(16).toString('hex')
  writeSecrets(folder, token)
  const server: ApiServer = {
    url: `https://127.0.0.1:${ports.api}`,
    caFile: join(folder, 'apiserver.crt'), // created by kube-apiserver, contains the authority that signed it
    kubeconfig: join(folder, 'admin.kubeconfig'),
    token,
    folder,
    assets,
  }
  writeFileSync(server.kubeconfig, kubeconfig(server, { token }), { mode: 0o600 })
  const pidFile = join(folder, 'pid')
  const etcd = startTethered(folder, [assets.etcd, ...etcdFlags(folder, ports)], process.env)
  let api: Tethered | undefined
  const resume = async (): Promise<void> => {
    await api?.stop()
    // Beside the other folder, not in it: both are removed at the same moment when this process is killed.
    const run = mkdtempSync(`${folder}-run-`)
    const remember = ['sh', '-c', 'echo $$ > "$0"; exec "$@"', pidFile]
    api = startTethered(run, [...remember, assets['kube-apiserver'], ...apiServerFlags(folder, ports)], process.env)
    await isReady(server, [etcd, api])
  }
  const stop = async (): Promise<void> => {
    await api?.stop()
    await etcd.stop()
  }
  try {
    await resume()
  } catch (error) {
    await stop()
    throw error
  }
  return {
    ...server,
    signal: (signal) => void process.kill(Number(readFileSync(pidFile, 'utf8')), signal),
    pause: async () => api?.stop(),
    resume,
    stop,
  }
}

/**
 * Creating the folder reserves its ports among concurrent runs. They lie below the ranges of outgoing connections, of
 * node ports and of the tests' brokers.
 */
const reserveFolder = async (): Promise<{ folder: string; ports: Ports }> => {
  for (;;) {
    const api = 10_000 + 2 * Math.floor(Math.random() * 3_000)
    const ports = { api, etcd: api + 1 }
    const folder = join(tmpdir(), `waybill-api-server-${api}`)
    const free = await Promise.all(Object.values(ports).map(isFree))
    if (free.includes(false) || existsSync(folder)) continue
    mkdirSync(folder, { mode: 0o700 })
    return { folder, ports }
  }
}

const isReady = async (server: ApiServer, processes: readonly Tethered[]): Promise<void> => {
  const deadlineMs = performance.now() + 120_000
  for (let cause: unknown; ; ) {
    const [dead] = processes.filter((one) => !one.running())
    if (dead) throw new Error(`The API server did not start:\n${dead.output()}`)
    if (performance.now() > deadlineMs) throw new Error('The API server was not ready within two minutes', { cause })
    try {
      await command(server, 'kubectl', ['get', '--raw', '/readyz'])
      return
    } catch (error) {
      cause = error
    }
  }
}
