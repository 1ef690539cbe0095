/**
 * `node tether.ts FOLDER COMMAND…` runs COMMAND for as long as standard input stays open. When the starting process
 * exits, crashes or is killed, the pipe closes; then every process of the command is stopped and FOLDER is removed.
 */
import { spawn } from 'node:child_process'
import { rmSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'

const [folder, command, ...args] = process.argv.slice(2)
if (folder === undefined || command === undefined) throw new Error('Usage: tether.ts FOLDER COMMAND…')

const child = spawn(command, args, { detached: true, stdio: ['ignore', 'inherit', 'inherit'] })

/** Signals the process group of the command; false once the group has no process left. */
const signalGroup = (signal: NodeJS.Signals | 0): boolean => {
  try {
    return child.pid !== undefined && process.kill(-child.pid, signal)
  } catch {
    return false
  }
}

let ending = false
const end = async (exitCode: number): Promise<void> => {
  if (ending) return
  ending = true
  signalGroup('SIGTERM')
  for (let waitedMs = 0; signalGroup(0) && waitedMs < 1_000; waitedMs += 50) await delay(50)
  signalGroup('SIGKILL')
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
  process.exit(exitCode)
}

child.on('error', () => end(127))
child.on('exit', (code) => end(code ?? 1))
process.stdin.on('end', () => end(0)).resume()
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => end(0))
