import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const packed = fileURLToPath(new URL('../../e2e/older-release', import.meta.url))

export type OlderRelease = {
  /** The file of its command line. */
  readonly program: string
  /** The folder of its CRDs. */
  readonly definitions: string
  drop(): Promise<void>
}

/** The program and the chart of the older release, unpacked. */
export const unpackOlderRelease = async (): Promise<OlderRelease> => {
  const folder = await mkdtemp(join(tmpdir(), 'waybill-older-'))
  for (const file of ['waybill-program.tgz', 'waybill-0.0.1.tgz'])
    await promisify(execFile)('tar', ['-xzf', join(packed, file), '-C', folder])
  return {
    program: join(folder, 'app/dist/cli/main.js'),
    definitions: join(folder, 'waybill/crds'),
    drop: () => rm(folder, { recursive: true }),
  }
}
