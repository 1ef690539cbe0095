import { type ExecFileException, execFile } from 'node:child_process'
import { existsSync, globSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { download } from './apt.ts'

/** Programs of Prometheus, as paths. */
export type Prometheus = { readonly prometheus: string; readonly promtool: string }

/** What a program printed, both of its outputs, and the code that it ended with. */
export type Ran = { readonly code: number; readonly out: string }

const names = ['prometheus', 'promtool'] as const

/**
 * Both programs: from the PATH, else from the cache, else Debian's package unpacked into it. Nothing is installed, so no
 * service is started.
 */
export const findPrometheus = async (env: NodeJS.ProcessEnv = process.env): Promise<Prometheus> => {
  const folder = join(env.WAYBILL_CACHE || join(homedir(), '.cache', 'waybill'), 'prometheus')
  const folders = [...(env.PATH ?? '').split(delimiter), folder]
  const found = folders.find((where) => names.every((name) => existsSync(join(where, name))))
  if (found === undefined) await unpack(folder)
  const where = found ?? folder
  return { prometheus: join(where, 'prometheus'), promtool: join(where, 'promtool') }
}

const unpack = async (folder: string): Promise<void> => {
  process.stderr.write('Downloading prometheus with apt-get (a few seconds)…\n')
  const parent = dirname(folder)
  mkdirSync(parent, { recursive: true })
  const work = mkdtempSync(join(parent, 'prometheus-'))
  try {
    await download('prometheus', work)
    const [archive = ''] = globSync('*.deb', { cwd: work })
    await run('dpkg', ['-x', join(work, archive), join(work, 'files')])
    const bin = join(work, 'files', 'usr', 'bin')
    // In one step: another test file may look for it. Where that file was faster, its programs are as good.
    if (!existsSync(folder)) renameSync(bin, folder)
  } catch (cause) {
    if (existsSync(join(folder, names[1]))) return
    throw new Error('There is no promtool: install prometheus, or put promtool and prometheus in the PATH', { cause })
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
}

/** Runs promtool with these files beside it, in a folder of its own, and this text as its input. */
export const promtool = async (
  args: readonly string[],
  { files = {}, input = '' }: { readonly files?: Readonly<Record<string, string>>; readonly input?: string } = {},
): Promise<Ran> => {
  const { promtool: program } = await findPrometheus()
  const cwd = mkdtempSync(join(tmpdir(), 'waybill-promtool-'))
  try {
    for (const [name, text] of Object.entries(files)) writeFileSync(join(cwd, name), text)
    return await run(program, args, { cwd, input }, false)
  } finally {
    rmSync(cwd, { recursive: true, force: true })
  }
}

const run = (
  program: string,
  args: readonly string[],
  { cwd, input = '' }: { readonly cwd?: string; readonly input?: string } = {},
  mustSucceed = true,
): Promise<Ran> =>
  new Promise((resolve, reject) => {
    const ended = (error: ExecFileException | null, stdout: string, stderr: string): void => {
      if (error && (mustSucceed || typeof error.code !== 'number')) reject(error)
      else resolve({ code: typeof error?.code === 'number' ? error.code : 0, out: stdout + stderr })
    }
    execFile(program, args, { ...(cwd ? { cwd } : {}), maxBuffer: 1e8 }, ended).stdin?.end(input)
  })
