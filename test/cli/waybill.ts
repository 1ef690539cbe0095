import { spawn } from 'node:child_process'
import { join } from 'node:path'

const main = join(import.meta.dirname, '../../src/cli/main.ts')

export type Ended = { readonly code: number | null; readonly out: string; readonly err: string }

/** Starts the command as a child process. */
export const start = (...args: string[]) => startIn({}, ...args)

const startIn = (env: NodeJS.ProcessEnv, ...args: string[]) => started(env, main, ...args)

/** Starts it under another name, which is a link to it. */
export const startAs = (path: string, ...args: string[]) => started({}, path, ...args)

const started = (env: NodeJS.ProcessEnv, path: string, ...args: string[]) => {
  const child = spawn(process.execPath, [path, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...env },
  })
  let out = ''
  let err = ''
  child.stdout.on('data', (chunk) => {
    out += chunk
  })
  child.stderr.on('data', (chunk) => {
    err += chunk
  })
  const ended = new Promise<Ended>((resolve) => {
    child.on('close', (code) => resolve({ code, out, err }))
  })
  return { child, ended, err: () => err }
}

export const waybill = (...args: string[]): Promise<Ended> => start(...args).ended

/** With these variables besides those of this process. */
export const waybillIn = (env: NodeJS.ProcessEnv, ...args: string[]): Promise<Ended> => startIn(env, ...args).ended
