import { execFile } from 'node:child_process'

export type CommandOptions = {
  readonly env?: NodeJS.ProcessEnv
  /** Written to standard input. */
  readonly input?: string
  readonly timeoutMs?: number
  readonly cwd?: string
}

/** A program failed. The message contains its standard error. */
export class CommandError extends Error {
  override readonly name = 'CommandError'
}

/** Runs a program to its end and returns its standard output. @throws CommandError */
export const run = (command: string, args: readonly string[], options: CommandOptions = {}): Promise<string> =>
  new Promise((resolve, reject) => {
    const { env = process.env, input, timeoutMs: timeout = 180_000, cwd } = options
    const settings = { env, timeout, killSignal: 'SIGKILL', maxBuffer: 64 * 1024 * 1024, cwd } as const
    const child = execFile(command, args, settings, (error, stdout, stderr) => {
      if (error === null) return resolve(stdout)
      const why =
        stderr.trim() || stdout.trim() || (error.killed ? `did not finish within ${timeout} ms` : error.message)
      reject(new CommandError(`${[command, ...args].join(' ').slice(0, 200)}: ${why}`, { cause: error }))
    })
    // A program may exit without reading its input.
    child.stdin?.on('error', () => {}).end(input)
  })
