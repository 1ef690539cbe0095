import { execFile } from 'node:child_process'
import { existsSync, rmSync, writeFileSync } from 'node:fs'
import { promisify } from 'node:util'
import type { Log } from './broker.ts'

const run = promisify(execFile)
const autostartPolicy = '/usr/sbin/policy-rc.d'

/** Installs rabbitmq-server from Debian's packages, if possible: it needs root and apt-get. */
export const aptInstalled = async (log: Log): Promise<boolean> => {
  if (!existsSync('/usr/bin/apt-get') || process.getuid?.() !== 0) return false
  log('Installing rabbitmq-server with apt-get (about a minute)…')
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  // The package would start a broker for the whole machine; this policy tells its installation script not to.
  const ours = !existsSync(autostartPolicy)
  if (ours) writeFileSync(autostartPolicy, '#!/bin/sh\nexit 101\n', { mode: 0o755 })
  try {
    await run('apt-get', ['update', '-q'], { env, maxBuffer: 1e8 })
    await run('apt-get', ['install', '-q', '-y', '--no-install-recommends', 'rabbitmq-server'], { env, maxBuffer: 1e8 })
    return true
  } catch (cause) {
    throw new Error('apt-get could not install rabbitmq-server', { cause })
  } finally {
    if (ours) rmSync(autostartPolicy, { force: true })
  }
}
