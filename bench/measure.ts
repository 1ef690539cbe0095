import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { Entry, Stage } from './contender.ts'
import { cpuMsOf, peakRssMiBOf } from './process-tree.ts'
import { type Program, startProgram } from './program.ts'

export type Figures = {
  /** CPU time of all of its processes, in µs per message, from the first request to the last. */
  readonly cpuUs: number
  readonly perSecond: number
  readonly peakRssMiB: number
}

const limitMs = 180_000

/** Starts a contender on a backlog of `count` messages and measures it until the sink has received all of them. */
export const measure = async ({ command, env, scrape }: Entry, count: number, stage: Stage): Promise<Figures> => {
  const { sink, folder } = stage
  const over = new AbortController()
  const signal = AbortSignal.any([stage.signal, over.signal, AbortSignal.timeout(limitMs)])
  const window = received(count, stage, () => program.pid)
  const program = startProgram(command, { env, logFile: join(folder, 'output.log') })
  try {
    if (scrape !== undefined) void readEverySecond(scrape, signal)
    return await Promise.race([window.figures, failure(program, window.seen, count, signal)])
  } finally {
    over.abort()
    sink.receive(() => undefined)
    await program.stop()
  }
}

/** Reads the figures at the first and at the last request: start-up is not measured. */
const received = (count: number, { sink }: Stage, pid: () => number) => {
  const { promise: figures, resolve } = Promise.withResolvers<Figures>()
  let seen = 0
  let begunAtMs = 0
  let cpuBeforeMs = 0
  sink.receive(() => {
    seen += 1
    if (seen === 1) {
      cpuBeforeMs = cpuMsOf(pid())
      begunAtMs = performance.now()
    }
    if (seen !== count) return
    const tookMs = performance.now() - begunAtMs
    const cpuMs = cpuMsOf(pid()) - cpuBeforeMs
    const rate = ((count - 1) / tookMs) * 1000
    resolve({ cpuUs: (cpuMs / (count - 1)) * 1000, perSecond: rate, peakRssMiB: peakRssMiBOf(pid()) })
  })
  return { figures, seen: () => seen }
}

const failure = async (program: Program, seen: () => number, count: number, signal: AbortSignal): Promise<never> => {
  while (program.running() && (await delay(200, true, { signal }).catch(() => false)));
  const what = program.running()
    ? `did not deliver everything within ${limitMs / 1_000} s`
    : 'exited before it had delivered everything'
  throw new Error(`The program ${what}: ${seen()} of ${count} messages\n${program.output()}`)
}

const readEverySecond = async (url: string, signal: AbortSignal): Promise<void> => {
  while (await delay(1_000, true, { signal }).catch(() => false)) {
    const answer = await fetch(url, { signal }).catch(() => undefined)
    await answer?.text().catch(() => undefined)
  }
}
