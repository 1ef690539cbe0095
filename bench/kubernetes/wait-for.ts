import { setTimeout as delay } from 'node:timers/promises'
import type { Program } from '../program.ts'

export type Patience = {
  /** The programs that must keep running meanwhile. */
  readonly programs: readonly Program[]
  readonly limitMs: number
  /** The progress, for an error message. */
  progress(): string
  readonly signal: AbortSignal
}

/** Waits until `done` resolves; rejects when a program exits before that, or after `limitMs`. */
export const waitFor = async (done: Promise<unknown>, patience: Patience): Promise<void> => {
  const over = new AbortController()
  try {
    await Promise.race([done, failure(patience, AbortSignal.any([patience.signal, over.signal]))])
  } finally {
    over.abort()
  }
}

const failure = async ({ programs, limitMs, progress, signal }: Patience, end: AbortSignal): Promise<never> => {
  const deadlineMs = performance.now() + limitMs
  const ended = () => programs.find((program) => !program.running())
  while (!ended() && performance.now() < deadlineMs && (await delay(500, true, { signal: end }).catch(() => false)));
  signal.throwIfAborted()
  const outputs = programs.map((program) => program.output()).join('\n--\n')
  throw new Error(`${ended() ? 'A program exited' : `Not done after ${limitMs / 1_000} s`}: ${progress()}\n${outputs}`)
}
