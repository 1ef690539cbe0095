import { type ExecFileOptions, execFile } from 'node:child_process'
import { accessSync, constants, cpSync, mkdirSync, rmSync } from 'node:fs'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { say } from '../setting.ts'

/** Programs with the same task as Waybill's dispatcher, in the versions that are measured. */
export const peers = ['knative', 'dapr', 'bento'] as const
export type Peer = (typeof peers)[number]

/** The same, and the program with the same task as Waybill's operator. */
type AnyPeer = Peer | 'topology-operator'

const binaries: Readonly<Record<AnyPeer, string>> = {
  knative: 'knative-dispatcher',
  dapr: 'daprd',
  bento: 'bento',
  'topology-operator': 'topology-operator',
}
const knative = 'knative.dev/eventing-rabbitmq@v0.48.0'
const dapr = 'github.com/dapr/dapr@v1.16.0'
const topologyOperator = 'github.com/rabbitmq/messaging-topology-operator@v1.17.4'

/** Where binaries of peers are cached between runs. */
export const peersFolder = join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'waybill-bench')

/**
 * The path of each peer's binary. Missing ones are built first, from the Go module proxy. A peer that cannot be built
 * is left out, and the reason is printed.
 */
export const findPeers = async <P extends AnyPeer>(
  wanted: readonly P[],
  folder: string,
  signal: AbortSignal,
): Promise<ReadonlyMap<P, string>> => {
  const found = new Map<P, string>()
  for (const peer of wanted) {
    const binary = join(folder, binaries[peer])
    try {
      if (!isExecutable(binary)) {
        say(`Building ${peer} into ${folder} (several minutes, once)…`)
        await builders[peer](binary, signal)
      }
      found.set(peer, binary)
    } catch (error) {
      signal.throwIfAborted()
      const isWithoutGo = error instanceof Error && 'syscall' in error && error.syscall === 'spawn go'
      const why = isWithoutGo ? 'no binary found, and no go on PATH to build it (https://go.dev/dl)' : String(error)
      say(`\n*** NOT MEASURED: ${peer}: ${why}\n`)
    }
  }
  return found
}

type Builder = (binary: string, signal: AbortSignal) => Promise<void>

const lean = ['-trimpath', '-ldflags', '-s -w']

const builders: Readonly<Record<AnyPeer, Builder>> = {
  async knative(binary, signal) {
    const source = await sourceOf(knative, `${binary}.build`, signal)
    await go(['build', ...lean, '-o', binary, './cmd/dispatcher'], { signal, cwd: source })
    rmSync(source, { recursive: true })
  },

  /** Built with the RabbitMQ component alone: the others are hundreds of modules that are not used here. */
  async dapr(binary, signal) {
    const source = await sourceOf(dapr, `${binary}.build`, signal)
    const components = join(source, 'cmd/daprd/components')
    rmSync(join(components, 'zz_notag.go'))
    cpSync(fileURLToPath(new URL('dapr/only_rabbitmq.go', import.meta.url)), join(components, 'only_rabbitmq.go'))
    await go(['build', ...lean, '-o', binary, './cmd/daprd'], { signal, cwd: source })
    rmSync(source, { recursive: true })
  },

  async 'topology-operator'(binary, signal) {
    const source = await sourceOf(topologyOperator, `${binary}.build`, signal)
    await go(['build', ...lean, '-o', binary, '.'], { signal, cwd: source })
    rmSync(source, { recursive: true })
  },

  async bento(binary, signal) {
    const source = `${binary}.build`
    cpSync(fileURLToPath(new URL('bento', import.meta.url)), source, { recursive: true })
    await go(['build', ...lean, '-o', binary, '.'], { signal, cwd: source })
    rmSync(source, { recursive: true })
  },
}

/** The folder of topology-operator's CustomResourceDefinitions. */
export const topologyOperatorCrds = async (signal: AbortSignal): Promise<string> =>
  join(await moduleFolder(topologyOperator, signal), 'config/crd/bases')

/**
 * A writable copy of a module's source. Built as the main module, it gets exactly the dependencies of its own go.mod.
 */
const sourceOf = async (module: string, folder: string, signal: AbortSignal): Promise<string> => {
  const original = await moduleFolder(module, signal)
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(dirname(folder), { recursive: true })
  await promisify(execFile)('cp', ['-r', '--no-preserve=mode', original, folder], { signal })
  return folder
}

const moduleFolder = async (module: string, signal: AbortSignal): Promise<string> => {
  const { Dir } = JSON.parse(await go(['mod', 'download', '-json', module], { signal })) as { Dir: string }
  return Dir
}

const go = async (args: readonly string[], { env = {}, ...options }: ExecFileOptions): Promise<string> => {
  const settled = { CGO_ENABLED: '0', GOFLAGS: '-mod=mod' }
  const { stdout } = await promisify(execFile)('go', args, {
    maxBuffer: 64 * 1024 * 1024,
    ...options,
    env: { ...process.env, ...settled, ...env },
    encoding: 'utf8',
  })
  return stdout
}

const isExecutable = (path: string): boolean => {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}
