import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { stringify } from 'yaml'
import type { Manifest } from '../test/support/manifests.ts'

/** Writes manifests into one file of the folder; returns its path. */
export const writeManifests = (folder: string, name: string, manifests: readonly Manifest[]): string => {
  const path = join(folder, `${name}.yaml`)
  writeFileSync(path, manifests.map((manifest) => stringify(manifest)).join('---\n'))
  return path
}
