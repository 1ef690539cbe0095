import type { LookupFunction } from 'node:net'
import { jobKinds } from '../../api/kinds/kinds.ts'
import { apiVersion, type Kind } from '../../api/resource.ts'
import { problemText } from '../../api/schema/problem.ts'
import type { LocalParts } from '../../console/backends/local.ts'
import { createDeadLetters } from '../../dispatcher/data/dead-letters.ts'
import { type CreatedKind, jobRoutes } from '../../server/jobs.ts'
import type { Access } from '../../server/letters/access.ts'
import { historyRoutes } from '../../server/letters/history.ts'
import { localAccess } from '../../server/letters/local-access.ts'
import { letterRoutes } from '../../server/letters/routes.ts'
import { hostAndPort, isLoopback, ListenError } from '../../server/listen.ts'
import { startServer } from '../../server/server.ts'
import type { DirectoryStore } from '../../store/directory/store.ts'
import { localConsole } from '../console/local.ts'
import { Failure } from '../failure.ts'
import type { Process } from '../process.ts'
import { dataOption, defaultDataListen, failedWith } from './address.ts'
import { removeToken, tokenFile, writeToken } from './token-file.ts'

export type LocalDataOptions = {
  /** `host:port`, or `off`; the default address when left out, and none where that is in use. */
  readonly listen: string | undefined
  readonly store: DirectoryStore
  readonly lookup: LookupFunction | undefined
  readonly history: LocalParts['history']
}

/**
 * Serves the dead letters to this user of this machine until the process ends: the token is in a file that only they can read.
 *
 * @throws Failure where it cannot listen on an address that was given
 */
export const serveLocalData = async ({ listen, ...served }: LocalDataOptions, { log, end }: Process): Promise<void> => {
  if (listen === 'off') return
  try {
    await serveAt(listen ?? defaultDataListen, served, { log, end })
  } catch (error) {
    // The token cannot be written where there is no home, as in a container.
    if (!(error instanceof ListenError) && !(error instanceof Error && 'syscall' in error)) throw error
    if (listen !== undefined) throw new Failure(error.message, { cause: error })
    log.warn({ reason: error.message }, `Dead letters are not served; choose an address with ${dataOption}, or off`)
  }
}

const serveAt = async (
  listen: string,
  { store, lookup, history }: Omit<LocalDataOptions, 'listen'>,
  { log, end }: Pick<Process, 'log' | 'end'>,
): Promise<void> => {
  const { host } = hostAndPort(listen, defaultDataListen)
  if (!isLoopback(host)) throw new ListenError(`Cannot listen on ${listen}: give a loopback address`)
  const letters = createDeadLetters({ store, lookup, log }, end.signal)
  // The token is made when the port is known: one that was given as 0 is chosen by the system.
  const token = Promise.withResolvers<string>()
  const access = token.promise.then(localAccess)
  const decide: Access = async (...asked) => (await access)(...asked)
  const pages = localConsole({ store, letters, history, log })
  const routes = [
    letterRoutes(letters, decide),
    historyRoutes(history, decide),
    jobRoutes(apiVersion, jobKinds.map(creating(store)), decide),
    pages.routes,
  ]
  const stopServing = new AbortController()
  const { url } = await startServer(
    { listen, routes, option: dataOption, longRequests: true, failed: failedWith(log) },
    AbortSignal.any([end.signal, stopServing.signal]),
  )
  const path = tokenFile(Number(new URL(url).port))
  try {
    const made = writeToken(path)
    process.once('exit', () => removeToken(path, made))
    token.resolve(made)
    log.info({ dataPort: url, tokenFile: path }, 'Serving dead letters')
    log.info({ console: pages.open(url, made, path) }, 'Serving the console; the address is good for once')
  } catch (error) {
    stopServing.abort()
    throw error
  }
}

/** Resources of a kind that are in no file, and last as long as the process. */
const creating =
  (store: DirectoryStore) =>
  (kind: Kind): CreatedKind => ({
    plural: kind.plural,
    create(manifest) {
      const created = store.create(kind, manifest)
      if ('metadata' in created) return { resource: created }
      const message = created.map(problemText).join('; ')
      const isThere = created.some((problem) => problem.message === 'exists already')
      return isThere ? { code: 409, reason: 'AlreadyExists', message } : { code: 422, reason: 'Invalid', message }
    },
  })
