import { setTimeout as delay } from 'node:timers/promises'
import { isDeepStrictEqual } from 'node:util'
import { idFrom, type Kind } from '../../api/resource.ts'
import { createChanges } from '../changes.ts'
import type { Log } from '../log.ts'
import type { Store } from '../store.ts'
import { createContents } from './contents.ts'
import { createEdits, type Edits } from './edits.ts'
import { shown } from './find-files.ts'
import type { Finding } from './finding.ts'
import { createLoader, type Loaded } from './load.ts'
import { createNotices } from './notices.ts'
import { createObjects } from './objects.ts'
import { createFindingReport } from './report-findings.ts'
import { watchPaths } from './watch.ts'

/** A store whose resources are manifests in files. */
export type DirectoryStore = Store &
  Edits & {
    /** The problems of the manifests as the files are now. */
    problems(): readonly Finding[]
  }

/** There is nothing to read: a path does not exist, or no manifest was found. */
export class ManifestPathError extends Error {
  override readonly name = 'ManifestPathError'
}

/** How long a disappearance must last to be believed: an editor may replace a file by removing it first. */
const settleMs = 200

/**
 * A store over manifests in files and folders, which are watched until the signal. A manifest that is broken, or in a
 * file that is, keeps its last good state: only what is really gone is deleted.
 *
 * @throws ManifestPathError where there is nothing to read at the start
 */
export const openDirectory = async (
  paths: readonly string[],
  { log }: { readonly log: Log },
  signal: AbortSignal,
): Promise<DirectoryStore> => {
  const loader = createLoader(paths)
  const changes = createChanges(log)
  const objects = createObjects(() => new Date(), changes.announce)
  const contents = createContents(objects, changes.announce)
  const report = createFindingReport(log)
  let findings: readonly Finding[] = []

  const apply = (loaded: Loaded): void => {
    const count = changes.inOneGo(() => {
      findings = [...loaded.findings, ...contents.put(loaded)]
    })
    report(findings, loaded.skipped)
    if (count > 0) log.info({ files: loaded.files.length, changes: count }, 'Read the manifests')
  }

  /** Loads until two loads in a row agree on what is gone. */
  const settled = async (): Promise<Loaded> => {
    for (let before: readonly string[] | undefined; ; ) {
      const loaded = await loader.load()
      const gone = contents.goneIn(loaded)
      if (gone.length === 0 || isDeepStrictEqual(gone, before)) return loaded
      before = gone
      await delay(settleMs, undefined, { signal })
    }
  }

  const started = Promise.withResolvers<void>()
  const reload = async (): Promise<void> => {
    await started.promise
    const loaded = await settled()
    if (!signal.aborted) apply(loaded)
  }
  assertSomething(paths, await loader.load())
  // Watch first, then load: the other way round, a change in between would be missed.
  await watchPaths({ paths, onChange: reload, onError: faultLog(log, signal) }, signal)
  apply(await loader.load())
  started.resolve()

  return {
    list: objects.list as Store['list'],
    get: objects.get as Store['get'],
    mayExist: (kind, namespace, name) =>
      contents.mayDefine(idFrom(kind.kind, namespace, name)) || objects.get(kind, namespace, name) !== undefined,
    onChange: changes.onChange,
    namespaceLabels: contents.labelsOf,
    secret: async (namespace, name) => contents.secret(namespace, name),
    applyStatus: async (_kind, resource, manager, status) => objects.applyStatus(resource, manager, status),
    setFinalizer: async (_kind: Kind, resource, present) => objects.setFinalizer(resource, present),
    record: createNotices(log, Date.now),
    problems: () => findings,
    ...createEdits(objects, contents.homeOf),
  }
}

const faultLog =
  (log: Log, signal: AbortSignal) =>
  (error: unknown): void => {
    if (!signal.aborted) log.error({ error }, 'Could not watch the manifests; changes are noticed within 30 seconds')
  }

const assertSomething = (paths: readonly string[], { files, findings }: Loaded): void => {
  const roots = new Set(paths.map(shown))
  const missing = findings.find(({ file, line }) => line === undefined && roots.has(file) && !files.includes(file))
  if (missing) throw new ManifestPathError(`${missing.file} ${missing.problem.message}`)
  if (files.length === 0) throw new ManifestPathError(`${paths.join(', ')}: no .yaml, .yml or .json file found`)
}
