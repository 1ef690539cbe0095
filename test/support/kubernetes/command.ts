import { execFile } from 'node:child_process'
import { join } from 'node:path'
import type { ApiServer } from './server.ts'

export type CommandOptions = {
  /** Standard input, for `-f -`. */
  readonly input?: string
  /** Path of the kubeconfig. Default: the administrator's. */
  readonly kubeconfig?: string
  /** Folders to look for programs in, before those of this process. */
  readonly path?: string
  /** Timeout in milliseconds. */
  readonly timeoutMs?: number
}

/** A command failed: its exit code was not 0. */
export class CommandFailed extends Error {
  readonly stderr: string

  constructor(command: string, stderr: string, cause: unknown) {
    super(`${command}:\n${stderr.trim()}`, { cause })
    this.name = 'CommandFailed'
    this.stderr = stderr
  }
}

/** Runs the real kubectl or helm, isolated from the user's own configuration. Returns its standard output. */
export const command = (
  { assets, folder, kubeconfig: admin }: ApiServer,
  name: 'kubectl' | 'helm',
  args: readonly string[],
  { input, kubeconfig = admin, path, timeoutMs = 60_000 }: CommandOptions = {},
): Promise<string> =>
  new Promise((resolve, reject) => {
    const program = assets[name]
    if (program === undefined) throw new Error(`There is no ${name}. Tests that need it belong into describeWithHelm`)
    const PATH = path === undefined ? process.env.PATH : `${path}:${process.env.PATH}`
    const env = { PATH, HOME: folder, KUBECONFIG: kubeconfig, KUBECACHEDIR: join(folder, 'cache') }
    const options = { env, maxBuffer: 1e8, timeout: timeoutMs, killSignal: 'SIGKILL' } as const
    const child = execFile(program, args, options, (error, stdout, stderr) =>
      error ? reject(new CommandFailed(`${name} ${args.join(' ')}`, stderr, error)) : resolve(stdout),
    )
    child.stdin?.on('error', () => {}) // The command may exit before it has read everything; its exit code says why.
    child.stdin?.end(input)
  })
