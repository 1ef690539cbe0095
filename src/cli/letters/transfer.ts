import { once } from 'node:events'
import { createWriteStream, existsSync, openAsBlob, renameSync, rmSync } from 'node:fs'
import type { ResourceName } from '../../api/resource.ts'
import type { ExportEnd } from '../../delivery/letters/record.ts'
import type { Imported } from '../../dispatcher/data/import.ts'
import { Failure } from '../failure.ts'
import type { Remote } from '../remote/remote.ts'
import { dataClient } from './client.ts'
import { type FilterOptions, queryOf } from './filter.ts'

export type ExportOptions = FilterOptions & { readonly output: string }

/**
 * Writes the dead letters of a subscription into a new file that only this user can read; resolves to how many they are. The file
 * has its name once everything is in it.
 *
 * @throws Failure, also where there are more letters than were exported
 */
export const exportTo = async (
  { ask }: Remote,
  of: ResourceName,
  options: ExportOptions,
  nowMs: number,
): Promise<number> => {
  const { output } = options
  if (existsSync(output)) throw new Failure(`${output} exists already`)
  const answer = await dataClient(ask, of).stream('/export', queryOf(options, nowMs))
  const part = `${output}.part`
  try {
    const last = await written(answer, part)
    const end = endOf(last)
    if (end === undefined) throw new Failure('the export broke off before its end: nothing was written')
    renameSync(part, output)
    const { count, complete } = end.export
    if (complete) return count
    throw new Failure(`${output} has ${count} dead letters, which are not all: narrow them down, as with --since`)
  } finally {
    rmSync(part, { force: true })
  }
}

/** The end is a short line. */
const mostOfEnd = 1024

/** Resolves to the last bytes. */
const written = async (answer: Response, file: string): Promise<Buffer> => {
  const out = createWriteStream(file, { flags: 'w', mode: 0o600 })
  let last: Buffer = Buffer.alloc(0)
  try {
    for await (const chunk of answer.body ?? []) {
      if (!out.write(chunk)) await once(out, 'drain')
      last = Buffer.concat([last, chunk]).subarray(-mostOfEnd)
    }
  } catch (cause) {
    throw new Failure(`the export broke off: ${(cause as Error).message}`, { cause })
  } finally {
    out.end()
  }
  await once(out, 'close')
  return last
}

const endOf = (last: Buffer): ExportEnd | undefined => {
  try {
    const found: unknown = JSON.parse(last.toString('utf8').trimEnd().split('\n').at(-1) ?? '')
    return typeof found === 'object' && found !== null && 'export' in found ? (found as ExportEnd) : undefined
  } catch {
    return undefined
  }
}

export type ImportOptions = { readonly anySubscription?: boolean }

/** Puts the dead letters of a file into the queue of a subscription. @throws Failure */
export const importFrom = async (
  { ask }: Remote,
  of: ResourceName,
  file: string,
  options: ImportOptions,
): Promise<Imported> => {
  if (!existsSync(file)) throw new Failure(`${file} does not exist`)
  const blob = await openAsBlob(file)
  const query = new URLSearchParams(options.anySubscription ? { anySubscription: 'true' } : {})
  const answer = await dataClient(ask, of).post('/import', query, blob)
  return (await answer.json()) as Imported
}
