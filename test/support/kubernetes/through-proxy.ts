import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Account } from './account.ts'
import type { ApiServer } from './server.ts'

/** Writes a kubeconfig by which an account reaches the API server at another URL; returns its path. */
export const throughProxy = (
  { folder }: ApiServer,
  { token, namespace }: Account,
  name: string,
  url: string,
): string => {
  const file = join(folder, `${namespace}.${name}.kubeconfig`)
  const config = {
    'current-context': 'test',
    clusters: [{ name: 'test', cluster: { server: url, 'insecure-skip-tls-verify': true } }],
    users: [{ name: 'test', user: { token } }],
    contexts: [{ name: 'test', context: { cluster: 'test', user: 'test', namespace } }],
  }
  writeFileSync(file, JSON.stringify(config), { mode: 0o600 })
  return file
}
