import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** Whether packages of Debian can be installed here: that needs root and apt-get. */
export const canInstall = (): boolean => existsSync('/usr/bin/apt-get') && process.getuid?.() === 0

/** Installs a package and what it needs; where another test file does so at the same time, after that. */
export const install = async (name: string): Promise<void> => {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  const apt = (...args: string[]) => run('flock', [lock, 'apt-get', '-q', ...args], { env, maxBuffer: 1e8 })
  try {
    await apt('update')
    await apt('install', '-y', '--no-install-recommends', name)
  } catch (cause) {
    throw new Error(`apt-get could not install ${name}`, { cause })
  }
}

/** Puts the archive of a package into a folder, and installs nothing; the lists of packages are brought up to date where it can. */
export const download = async (name: string, folder: string): Promise<void> => {
  const get = () => run('apt-get', ['-q', 'download', name], { cwd: folder, maxBuffer: 1e8 })
  try {
    await get()
  } catch {
    if (canInstall()) await run('flock', [lock, 'apt-get', '-q', 'update'], { maxBuffer: 1e8 })
    await get()
  }
}

const lock = '/tmp/waybill-apt.lock'
