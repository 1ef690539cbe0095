import { execFile } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { Log } from '../broker.ts'

const run = promisify(execFile)

export type GoBuild = {
  /** The folder of go.mod and go.sum. */
  readonly module: URL
  /** The folder for the programs. */
  readonly folder: string
  /** The package of each program. */
  readonly packages: Readonly<Record<string, string>>
  /** Values of variables that are set at link time. */
  readonly variables?: Readonly<Record<string, string>>
  readonly log: Log
  readonly env: NodeJS.ProcessEnv
}

/**
 * Builds programs with the versions pinned in go.sum. Programs are replaced atomically, and only one run builds at a
 * time.
 */
export const goBuild = async ({ module, folder, packages, variables = {}, log, env }: GoBuild): Promise<void> => {
  const names = Object.keys(packages).join(' and ')
  await run('go', ['version'], { env }).catch((cause: unknown) => {
    throw new Error(`${names}: not found, and there is no go on PATH to build with`, { cause })
  })
  mkdirSync(folder, { recursive: true })
  const unlock = await lock(join(folder, '.lock'), log)
  const since = performance.now()
  const progress = setInterval(
    () => log(`Still building ${names} (${Math.round((performance.now() - since) / 1000)} s)…`),
    30_000,
  )
  const set = Object.entries(variables).map(([name, value]) => ` -X ${name}=${value}`)
  const options = ['-mod=readonly', '-trimpath', '-buildvcs=false', `-ldflags=-s -w${set.join('')}`]
  try {
    for (const [name, path] of Object.entries(packages)) {
      if (existsSync(join(folder, name))) continue
      log(`Building ${name} with go, once (a few minutes)…`)
      const unfinished = join(folder, `.${name}.${process.pid}`)
      await run('go', ['build', ...options, '-o', unfinished, path], {
        cwd: fileURLToPath(module),
        env: { ...env, CGO_ENABLED: '0', GOFLAGS: '', GOWORK: 'off' },
        maxBuffer: 1e8,
      })
      renameSync(unfinished, join(folder, name))
    }
  } catch (cause) {
    const { stderr = '' } = cause as { stderr?: string }
    throw new Error(`${names}: the build with go failed:\n${stderr.trim().split('\n').slice(-5).join('\n')}`, { cause })
  } finally {
    clearInterval(progress)
    unlock()
  }
}

/** Waits until no living process holds the lock, then holds it. */
const lock = async (file: string, log: Log): Promise<() => void> => {
  for (let waiting = false; ; ) {
    try {
      writeFileSync(file, String(process.pid), { flag: 'wx' })
      return () => rmSync(file, { force: true })
    } catch {
      if (!lives(file)) rmSync(file, { force: true })
      else if (!waiting) log(`Waiting for another run that is building the same programs (${file})…`)
      waiting = true
      await delay(500)
    }
  }
}

const lives = (file: string): boolean => {
  try {
    return process.kill(Number(readFileSync(file, 'utf8')), 0)
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
