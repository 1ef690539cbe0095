import type { Fault } from '../fault.ts'

/** Faults of one of Waybill's processes. */

export const kill: Fault = async ({ processes }, random) => {
  const process = random.pick(processes)
  process.signal('SIGKILL')
  return () => process.start()
}

export const killTwice: Fault = async ({ processes }, random) => {
  const process = random.pick(processes)
  process.signal('SIGKILL')
  await process.start()
  process.signal('SIGKILL')
  return () => process.start()
}

export const stop: Fault = async ({ processes }, random) => {
  const process = random.pick(processes)
  process.signal('SIGSTOP')
  return async () => process.signal('SIGCONT')
}
