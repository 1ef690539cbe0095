import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startTethered } from './tethered.ts'
import { eventually } from './wait.ts'

const temporaryFolder = () => mkdtempSync(join(tmpdir(), 'waybill-tether-'))

/** A command of two processes that prints their ids and ignores SIGTERM. */
const stubborn = ['sh', '-c', 'trap "" TERM; sleep 1000 & echo $$ $!; wait']
const processes = (output: string): number[] => output.split(/\s+/).filter(Boolean).map(Number)
const runs = (pid: number): boolean => {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

test('stopping a tethered command kills all of its processes and removes the folder', async () => {
  const folder = temporaryFolder()
  const tethered = startTethered(folder, stubborn, process.env)
  const pids = await eventually(() => processes(tethered.output()).length === 2 && processes(tethered.output()))
  await tethered.stop()
  expect([tethered.running(), existsSync(folder)]).toEqual([false, false])
  await eventually(() => !pids.some(runs)) // A killed process is listed until its parent has reaped it.
})

test('a tethered command does not outlive the process that started it, even if that is killed', async () => {
  const folder = temporaryFolder()
  const code = `
    import { startTethered } from ${JSON.stringify(new URL('tethered.ts', import.meta.url).href)}
    startTethered(${JSON.stringify(folder)}, ${JSON.stringify(stubborn)}, process.env)
    setInterval(() => {}, 1_000)`
  const starter = spawn(process.execPath, ['--input-type=module', '-e', code], { stdio: 'ignore' })
  const output = () => readFileSync(join(folder, 'output.log'), 'utf8')
  const pids = await eventually(() => processes(output()).length === 2 && processes(output()))
  starter.kill('SIGKILL')
  await once(starter, 'exit')
  await eventually(() => !pids.some(runs) && !existsSync(folder))
})

test('a tethered command that cannot be started is reported as not running', async () => {
  const tethered = startTethered(temporaryFolder(), ['/nowhere/to/be/found'], process.env)
  await eventually(() => !tethered.running())
})
