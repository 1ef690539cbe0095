import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'

const ticksPerSecond = Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }))

/** CPU time, in ms, that a process and its descendants have used so far: proc_pid_stat(5). */
export const cpuMsOf = (pid: number): number =>
  sum(pid, (process) => {
    const stat = readFileSync(`/proc/${process}/stat`, 'latin1')
    // The name of the program, which comes before, may contain spaces and parentheses.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return ((Number(fields[11]) + Number(fields[12])) / ticksPerSecond) * 1000
  })

/** The sum of the peaks of resident memory of a process and its descendants, in MiB. */
export const peakRssMiBOf = (pid: number): number => memoryMiBOf(pid, 'VmHWM')

/** The resident memory of a process and its descendants now, in MiB. */
export const rssMiBOf = (pid: number): number => memoryMiBOf(pid, 'VmRSS')

const memoryMiBOf = (pid: number, field: 'VmHWM' | 'VmRSS'): number =>
  sum(pid, (process) => {
    const status = readFileSync(`/proc/${process}/status`, 'latin1')
    return Number(new RegExp(`^${field}:\\s*(\\d+) kB`, 'm').exec(status)?.[1] ?? 0)
  }) / 1024

const sum = (pid: number, of: (process: number) => number): number => {
  let total = 0
  for (const process of treeOf(pid)) {
    try {
      total += of(process)
    } catch {
      // The process has exited in the meantime.
    }
  }
  return total
}

const treeOf = (pid: number): number[] => {
  try {
    const threads = readdirSync(`/proc/${pid}/task`)
    const children = threads.flatMap((thread) =>
      readFileSync(`/proc/${pid}/task/${thread}/children`, 'latin1').split(' ').filter(Boolean).map(Number),
    )
    return [pid, ...children.flatMap(treeOf)]
  } catch {
    return []
  }
}
