import { fileURLToPath } from 'node:url'
import { eventually } from './wait.ts'
import type { Command } from './waybill.ts'

/** A process that is started again whenever it was killed. */
export type Kept<C extends Command> = {
  readonly current: C
  /** How often it was killed. */
  readonly deaths: number
  /** Stops it as a deployment does, and starts it again. */
  restart(): Promise<void>
  end(): Promise<void>
}

const preload = fileURLToPath(new URL('die-at.ts', import.meta.url))

/** The environment of a process that is killed at this moment of an effect, when it comes for the `on`th time. */
export const dyingAt = (moment: string, on = 1): NodeJS.ProcessEnv => ({
  ...{ NODE_OPTIONS: `--import ${preload}`, WAYBILL_DIE_AT: moment, WAYBILL_DIE_ON: String(on) },
})

/** Starts a process with this environment, and without it each time after it was killed. */
export const keepRunning = async <C extends Command>(
  start: (env: NodeJS.ProcessEnv) => Promise<C>,
  env: NodeJS.ProcessEnv,
): Promise<Kept<C>> => {
  let current: C | undefined
  let deaths = 0
  let isOver = false
  const died = (end: number | NodeJS.Signals): boolean => end === 'SIGKILL' && !isOver

  /** It may be killed before it has begun to listen. */
  const begin = async (with_: NodeJS.ProcessEnv): Promise<C> => {
    try {
      return await start(with_)
    } catch (error) {
      if (!String(error).includes('SIGKILL')) throw error
      deaths += 1
      return start({})
    }
  }
  const watch = async (): Promise<void> => {
    while (current && died(await current.exited)) {
      deaths += 1
      current = await begin({})
    }
  }
  current = await begin(env)
  let watching = watch()

  const running = (): C => {
    if (current === undefined) throw new Error('It was not started')
    return current
  }
  return {
    get current() {
      return running()
    },
    get deaths() {
      return deaths
    },
    async restart() {
      const before = running()
      // It may be killed on the way, and is started again then.
      if (died(await before.kill())) {
        await eventually(() => running() !== before, { timeoutMs: 60_000 })
        await running().kill()
      }
      await watching
      current = await begin({})
      watching = watch()
    },
    async end() {
      isOver = true
      await running().stop()
    },
  }
}
