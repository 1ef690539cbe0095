import { type ExecFileOptions, execFile } from 'node:child_process'
import { accessSync, constants, cpSync, mkdirSync, rmSync } from 'node:fs'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { say } from '../setting.ts'

/** The programs that do a dispatcher's job elsewhere, in the versions that are raced. */
export const peers = ['knative', 'dapr', 'bento'] as const
export type Peer = (typeof peers)[number]

/** And the one that does the operator's. */
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

/** Where peers are kept from one race to the next. */
export const peersFolder = join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'waybill-bench')

/**
 * The path of each peer's binary; those that are missing are built from the Go module proxy first. A peer that can be
 * neither found nor built is left out, and why is said.
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
        say(`Building ${peer} into ${folder}; the first time this takes minutes`)
        await builders[peer](binary, signal)
      }
      found.set(peer, binary)
    } catch (error) {
      signal.throwIfAborted()
      const isWithoutGo = error instanceof Error && 'syscall' in error && error.syscall === 'spawn go'
      const why = isWithoutGo ? 'it is not built and there is no go on PATH (https://go.dev/dl)' : String(error)
      say(`\n*** LEFT OUT: ${peer}: ${why}\n`)
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

  /** All components but RabbitMQ are left out: they are hundreds of modules that the race does not touch. */
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

/** A writable copy of a module's source: built as the main module, it gets exactly the dependencies that it names. */
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
