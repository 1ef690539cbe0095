import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, existsSync, openSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

export type Tethered = {
  /** Whether the command is still running. */
  running(): boolean
  /** The last lines that it printed, for an error message. */
  output(): string
  /** Stops every process of the command and removes the folder; resolves when both are done. */
  stop(): Promise<void>
}

/** Starts a command that cannot outlive this process, however this process ends. The folder is removed with it. */
export const startTethered = (folder: string, command: readonly string[], env: NodeJS.ProcessEnv): Tethered => {
  const logFile = join(folder, 'output.log')
  const log = openSync(logFile, 'a')
  const child = spawn(process.execPath, [fileURLToPath(new URL('tether.ts', import.meta.url)), folder, ...command], {
    env,
    stdio: ['pipe', log, log],
    detached: true, // Ctrl-C reaches the whole foreground group; the command must end after the processes that use it.
  })
  closeSync(log)
  const exited = once(child, 'exit')
  child.unref()
  return {
    running: () => child.exitCode === null && child.signalCode === null,
    output: () =>
      existsSync(logFile) ? readFileSync(logFile, 'utf8').trimEnd().split('\n').slice(-15).join('\n') : '',
    async stop() {
      child.ref()
      child.stdin?.end()
      await exited
    },
  }
}
