import type { Fault } from '../fault.ts'

/** Faults of the process of Waybill. */

export const kill: Fault = async ({ process }) => {
  process.signal('SIGKILL')
  return () => process.start()
}

export const killTwice: Fault = async ({ process }) => {
  process.signal('SIGKILL')
  await process.start()
  process.signal('SIGKILL')
  return () => process.start()
}

export const stop: Fault = async ({ process }) => {
  process.signal('SIGSTOP')
  return async () => process.signal('SIGCONT')
}
