import type { Command } from '../../support/waybill.ts'
import type { StormProcess } from '../fault.ts'

export type Kept<C extends Command> = StormProcess & {
  /** @throws where it does not run */
  running(): C
  /** Stops it for good. */
  stop(): Promise<void>
}

/** A process that faults end, and that is started again; `ended` is told where it ends by itself, with its exit code. */
export const keep = <C extends Command>(
  name: string,
  launch: () => Promise<C>,
  ended: (what: string) => void,
): Kept<C> => {
  let current: C | undefined
  let starting: Promise<void> | undefined
  let isOver = false

  const launched = async (): Promise<void> => {
    const command = await launch()
    current = command
    void command.exited.then((code) => {
      if (current !== command) return
      current = undefined
      if (!isOver) ended(`${name} ended by itself: ${code}`)
    })
  }
  return {
    name,
    signal(signal) {
      if (current === undefined) return
      process.kill(current.pid, signal)
      if (signal === 'SIGKILL') current = undefined
    },
    async start() {
      if (current || isOver) return
      starting ??= launched().finally(() => {
        starting = undefined
      })
      await starting
    },
    running() {
      if (current === undefined) throw new Error(`${name} does not run`)
      return current
    },
    async stop() {
      isOver = true
      await starting?.catch(() => undefined)
      // A process that was paused does not hear SIGTERM.
      this.signal('SIGCONT')
      await current?.stop()
    },
  }
}
