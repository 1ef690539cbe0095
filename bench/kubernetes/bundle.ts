import { execFile } from 'node:child_process'
import { rm } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const root = fileURLToPath(new URL('../..', import.meta.url))

/** Bundles the program as the image does; resolves with the path of its main file. */
export const bundle = async (signal: AbortSignal): Promise<string> => {
  await rm(`${root}dist/bundle`, { recursive: true, force: true })
  await promisify(execFile)('npm', ['run', '--silent', 'bundle', '--', '--outdir=dist/bundle'], { cwd: root, signal })
  return `${root}dist/bundle/main.js`
}
