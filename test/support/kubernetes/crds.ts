import { fileURLToPath } from 'node:url'
import { kinds } from '../../../src/api/kinds/kinds.ts'
import { apiVersion, group } from '../../../src/api/resource.ts'
import { eventually } from '../wait.ts'
import { command } from './command.ts'
import { request } from './request.ts'
import type { ApiServer } from './server.ts'

const folder = fileURLToPath(new URL('../../../crds', import.meta.url))

/** Installs crds/ with kubectl, and waits until all kinds are served. */
export const installCrds = async (server: ApiServer): Promise<void> => {
  await command(server, 'kubectl', ['apply', '--server-side', '-f', folder])
  const names = kinds.map(({ plural }) => `crd/${plural}.${group}`)
  await command(server, 'kubectl', ['wait', '--for=condition=Established', '--timeout=30s', ...names])
  const served = async ({ plural }: (typeof kinds)[number]) =>
    (await request(server, 'GET', `/apis/${apiVersion}/${plural}`)).status === 200
  await eventually(async () => (await Promise.all(kinds.map(served))).every(Boolean))
}
