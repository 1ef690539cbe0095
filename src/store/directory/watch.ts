import { lstatSync, type Stats } from 'node:fs'
import { basename, resolve } from 'node:path'
import { watch } from 'chokidar'

export type WatchOptions = {
  readonly paths: readonly string[]
  /** Called once nothing has changed for a moment; never twice at the same time. */
  readonly onChange: () => Promise<void>
  readonly onError: (error: unknown) => void
}

/** An editor writes a file in several steps. */
const quietMs = 100
/** For changes that cause no event: network file systems, bind mounts, links swapped below a hidden folder. */
const anywayMs = 30_000

/** Watches files and folders until the signal; resolves once no change is missed any more. */
export const watchPaths = async ({ paths, onChange, onError }: WatchOptions, signal: AbortSignal): Promise<void> => {
  const roots = new Set(paths.map((path) => resolve(path)))
  const watcher = watch([...paths], {
    ignoreInitial: true,
    ignored: (path, stats) =>
      !roots.has(resolve(path)) && (basename(path).startsWith('.') || isLinkedFolder(path, stats)),
  })
  let timer: NodeJS.Timeout | undefined
  let running = false

  const schedule = (afterMs: number): void => {
    clearTimeout(timer)
    if (!signal.aborted) timer = setTimeout(run, afterMs)
  }
  const run = async (): Promise<void> => {
    if (running) return schedule(quietMs)
    running = true
    schedule(anywayMs)
    await onChange().catch(onError)
    running = false
  }

  const close = (): void => {
    clearTimeout(timer)
    watcher.close().catch(onError)
  }
  if (signal.aborted) return close()
  signal.addEventListener('abort', close, { once: true })
  watcher.on('all', () => schedule(quietMs)).on('error', onError)
  await new Promise<void>((ready) => {
    watcher.once('ready', ready)
    signal.addEventListener('abort', () => ready(), { once: true })
  })
  schedule(anywayMs)
}

const isLinkedFolder = (path: string, stats: Stats | undefined): boolean =>
  stats?.isDirectory() === true && lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() === true
