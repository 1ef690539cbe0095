import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createWriteStream } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { apiVersion, type Kind, type Resource } from '../../src/api/resource.ts'
import { eventually } from './wait.ts'

/** A process of a command that runs until it is stopped. */
export type Command = {
  readonly pid: number
  /** Base URL of its HTTP server. */
  readonly server: string
  /** Its standard error so far. */
  logs(): string
  /** Resolves with the exit code, or with the signal that ended it. */
  readonly exited: Promise<number | NodeJS.Signals>
  /** Sends a signal, by default SIGTERM, and resolves once the process has exited. */
  kill(signal?: NodeJS.Signals): Promise<number | NodeJS.Signals>
  /** Stops it with SIGTERM, and with SIGKILL after 5 s. */
  stop(): Promise<void>
}

export type Waybill = Command & {
  /** The resources of a kind, with their status. */
  list<K extends Kind>(kind: K): Promise<Resource<K>[]>
  /** The resource of that name: `name` or `namespace/name`. */
  get<K extends Kind>(kind: K, name: string): Promise<Resource<K> | undefined>
}

export type CommandOptions = {
  /** `host:port`. Default: a free port of 127.0.0.1. */
  readonly listen?: string
  /** A file to which its log is written as well. */
  readonly logFile?: string
  readonly env?: NodeJS.ProcessEnv
  /** The file of the command line. Default: that of the sources. */
  readonly program?: string
}

export type RunOptions = CommandOptions & {
  readonly args?: readonly string[]
  /** `host:port` of the data port. Default: off. */
  readonly dataListen?: string
}

const main = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url))

/** Starts a command with arguments; resolves once its HTTP server is listening. */
export const startCommand = async (command: readonly string[], options: CommandOptions = {}): Promise<Command> => {
  const { listen = '127.0.0.1:0', logFile, env = {}, program = main } = options
  const child = spawn(process.execPath, [program, ...command, '--listen', listen], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  const killed = () => child.kill('SIGKILL')
  process.once('exit', killed)
  let logs = ''
  const file = logFile === undefined ? undefined : createWriteStream(logFile, { flags: 'a' })
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    logs += chunk
    file?.write(chunk)
  })
  const exited = once(child, 'close').then(([code, signal]): number | NodeJS.Signals => {
    process.off('exit', killed)
    file?.end()
    return code ?? signal
  })
  let running = true
  exited.then(() => {
    running = false
  })
  const server = await eventually(() => urlIn(logs) ?? (running ? undefined : 'none'), { timeoutMs: 60_000 })
  if (server === 'none') throw new Error(`waybill ${command.join(' ')} exited with ${await exited}:\n${logs}`)

  const kill = (signal: NodeJS.Signals = 'SIGTERM') => {
    child.kill(signal)
    return exited
  }
  return {
    pid: child.pid ?? 0,
    server,
    logs: () => logs,
    exited,
    kill,
    async stop() {
      const patience = setTimeout(killed, 5_000)
      await kill()
      clearTimeout(patience)
    },
  }
}

/** Starts `waybill run` on files or folders of manifests; resolves once its HTTP API is listening. */
export const runWaybill = async (
  paths: string | readonly string[],
  { args = [], dataListen = 'off', ...options }: RunOptions = {},
): Promise<Waybill> => {
  const files = [paths].flat().flatMap((path) => ['-f', path])
  const command = await startCommand(['run', ...files, '--data-listen', dataListen, ...args], options)
  const { server } = command

  const list = async <K extends Kind>({ plural }: K): Promise<Resource<K>[]> => {
    const answer = await fetch(`${server}/apis/${apiVersion}/${plural}`, { signal: AbortSignal.timeout(5_000) })
    if (!answer.ok) throw new Error(`${answer.url} answered ${answer.status}`)
    return ((await answer.json()) as { items: Resource<K>[] }).items
  }
  return {
    ...command,
    list,
    async get(kind, name) {
      const items = await list(kind)
      return items.find(({ metadata }) => [metadata.name, `${metadata.namespace}/${metadata.name}`].includes(name))
    },
  }
}

/** The URL in its own log: on a port that was free a moment ago, another process may be answering. */
const urlIn = (logs: string): string | undefined => {
  const line = logs.split('\n').find((one) => one.endsWith('}') && one.includes('"url"'))
  return line && (JSON.parse(line) as { url: string }).url
}
