import { spawn } from 'node:child_process'
import { once } from 'node:events'

/** Commands that were typed into a terminal. */
export type Typed = {
  /** What they wrote so far, on both outputs. */
  output(): string
  /** Resolves with the exit code; `null` where a signal ended them. */
  readonly ended: Promise<number | null>
  /** Ctrl-C, and SIGKILL where that takes longer than 10 s. */
  interrupt(): Promise<void>
}

/** Types commands into a terminal of their own, in the clone. */
export const type = (script: string): Typed => {
  // A process group of its own, as a terminal gives to what is typed there.
  const child = spawn('bash', ['-e', '-c', script], { detached: true, stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  let running = true
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (chunk: string) => {
      output += chunk
    })
  }
  const signal = (name: NodeJS.Signals) => {
    if (child.pid !== undefined && running) process.kill(-child.pid, name)
  }
  const kill = () => signal('SIGKILL')
  process.once('exit', kill)
  const ended = once(child, 'close').then(([code]): number | null => {
    running = false
    process.off('exit', kill)
    return code
  })
  return {
    output: () => output,
    ended,
    async interrupt() {
      signal('SIGINT')
      const patience = setTimeout(kill, 10_000)
      await ended
      clearTimeout(patience)
    },
  }
}
