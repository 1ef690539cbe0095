import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createWriteStream } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { apiVersion, type Kind, type Resource } from '../../src/api/resource.ts'
import { freePort } from './free-port.ts'

export type Waybill = {
  readonly pid: number
  /** Base URL of its HTTP API. */
  readonly server: string
  /** What it wrote on stderr so far. */
  logs(): string
  /** Resolves with the exit code, or with the signal that ended it. */
  readonly exited: Promise<number | NodeJS.Signals>
  /** Sends a signal, SIGTERM when left out, and resolves once the process is gone. */
  kill(signal?: NodeJS.Signals): Promise<number | NodeJS.Signals>
  /** Ends it for certain: SIGTERM, and SIGKILL where that takes longer than 5 s. */
  stop(): Promise<void>
  /** The resources of a kind, or the one of that name (`name` or `namespace/name`); status and all. */
  list<K extends Kind>(kind: K): Promise<Resource<K>[]>
  get<K extends Kind>(kind: K, name: string): Promise<Resource<K> | undefined>
}

export type RunOptions = {
  /** `host:port`; a free port of 127.0.0.1 when left out. */
  readonly listen?: string
  /** A file that gets its log too. */
  readonly logFile?: string
  readonly env?: NodeJS.ProcessEnv
  readonly args?: readonly string[]
}

const main = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url))

/** Starts `waybill run` on files or folders of manifests as a process of its own; resolves once its HTTP API answers. */
export const runWaybill = async (paths: string | readonly string[], options: RunOptions = {}): Promise<Waybill> => {
  const listen = options.listen ?? `127.0.0.1:${await freePort()}`
  const files = [paths].flat().flatMap((path) => ['-f', path])
  const child = spawn(process.execPath, [main, 'run', ...files, '--listen', listen, ...(options.args ?? [])], {
    env: { ...process.env, ...options.env },
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let logs = ''
  const file = options.logFile === undefined ? undefined : createWriteStream(options.logFile, { flags: 'a' })
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    logs += chunk
    file?.write(chunk)
  })
  const killed = () => child.kill('SIGKILL')
  process.once('exit', killed)
  const exited = once(child, 'close').then(([code, signal]): number | NodeJS.Signals => {
    process.off('exit', killed)
    file?.end()
    return code ?? signal
  })
  const server = `http://${listen}`
  const waybill: Waybill = {
    pid: child.pid ?? 0,
    server,
    logs: () => logs,
    exited,
    kill(signal = 'SIGTERM') {
      child.kill(signal)
      return exited
    },
    async stop() {
      const patience = setTimeout(killed, 5_000)
      await waybill.kill()
      clearTimeout(patience)
    },
    async list<K extends Kind>({ plural }: K) {
      const answer = await fetch(`${server}/apis/${apiVersion}/${plural}`, { signal: AbortSignal.timeout(5_000) })
      if (!answer.ok) throw new Error(`${answer.url} was answered ${answer.status}`)
      return ((await answer.json()) as { items: Resource<K>[] }).items
    },
    async get(kind, name) {
      const items = await waybill.list(kind)
      return items.find(({ metadata }) => [metadata.name, `${metadata.namespace}/${metadata.name}`].includes(name))
    },
  }
  await answers(waybill)
  return waybill
}

const answers = async ({ server, exited, logs, kill }: Waybill): Promise<void> => {
  let ended: unknown
  exited.then((how) => {
    ended = how
  })
  for (let waitedMs = 0; waitedMs < 20_000; waitedMs += 25) {
    if (ended !== undefined) throw new Error(`waybill run ended with ${ended}:\n${logs()}`)
    const answer = await fetch(`${server}/healthz`, { signal: AbortSignal.timeout(2_000) }).catch(() => undefined)
    await answer?.body?.cancel()
    if (answer?.ok) return
    await delay(25)
  }
  await kill('SIGKILL')
  throw new Error(`waybill run did not answer on ${server} within 20 s:\n${logs()}`)
}
