import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync, readFileSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'

export type Program = {
  readonly pid: number
  /** Whether it is still running. */
  running(): boolean
  /** The last lines that it printed. */
  output(): string
  /** Stops it with SIGTERM, and with SIGKILL after 5 s. */
  stop(): Promise<void>
  kill(): Promise<void>
}

/** Starts a program that writes its output to a file. It is killed when this process exits. */
export const startProgram = (
  [command, ...args]: readonly [string, ...string[]],
  { env = {}, logFile }: { readonly env?: Readonly<Record<string, string>> | undefined; readonly logFile: string },
): Program => {
  const log = openSync(logFile, 'w')
  const child: ChildProcess = spawn(command, args, { env: { ...process.env, ...env }, stdio: ['ignore', log, log] })
  closeSync(log)
  const killed = () => child.kill('SIGKILL')
  process.once('exit', killed)
  const exited = once(child, 'exit').finally(() => process.off('exit', killed))
  // A failed start rejects `exited`, which callers may ignore: running() is false then.
  exited.catch(() => undefined)
  const program: Program = {
    pid: child.pid ?? 0,
    running: () => child.pid !== undefined && child.exitCode === null && child.signalCode === null,
    output: () => readFileSync(logFile, 'utf8').trimEnd().split('\n').slice(-15).join('\n'),
    async stop() {
      if (!program.running()) return
      child.kill()
      const inTime = await Promise.race([exited.then(() => true), delay(5_000, false, { ref: false })])
      if (!inTime) await program.kill()
    },
    async kill() {
      if (!program.running()) return
      killed()
      await exited
    },
  }
  return program
}
