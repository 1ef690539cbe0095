import { existsSync, rmSync, writeFileSync } from 'node:fs'
import { canInstall, install } from './apt.ts'
import type { Log } from './broker.ts'

const autostartPolicy = '/usr/sbin/policy-rc.d'

/** Installs rabbitmq-server from Debian's packages, if possible. */
export const aptInstalled = async (log: Log): Promise<boolean> => {
  if (!canInstall()) return false
  log('Installing rabbitmq-server with apt-get (about a minute)…')
  // The package would start a broker for the whole machine; this policy tells its installation script not to.
  const ours = !existsSync(autostartPolicy)
  if (ours) writeFileSync(autostartPolicy, '#!/bin/sh\nexit 101\n', { mode: 0o755 })
  try {
    await install('rabbitmq-server')
    return true
  } finally {
    if (ours) rmSync(autostartPolicy, { force: true })
  }
}
