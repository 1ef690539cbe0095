import { apiVersion, type Kind } from '../../api/resource.ts'
import { type Problem, problemText } from '../../api/schema/problem.ts'
import { createConsole } from '../../console/app.ts'
import { type LocalParts, localBackends } from '../../console/backends/local.ts'
import { createOneTime } from '../../console/one-time.ts'
import { paths } from '../../console/pages/paths.ts'
import type { DeadLetters } from '../../dispatcher/data/dead-letters.ts'
import { isLoopbackName } from '../../server/letters/local-access.ts'
import type { Routes } from '../../server/routes.ts'
import type { DirectoryStore } from '../../store/directory/store.ts'
import type { Log } from '../../telemetry/log.ts'
import { userName } from '../user-name.ts'
import { consoleRoutes } from './routes.ts'

type LocalConsoleOptions = {
  readonly store: DirectoryStore
  readonly letters: DeadLetters
  readonly history: LocalParts['history']
  readonly log: Log
}

/** The console of `waybill run`, for the user who runs it. */
export type LocalConsole = {
  readonly routes: Routes
  /** Serves it; returns the address that logs in once. `url` is where the server listens, `token` is in `tokenFile`. */
  open(url: string, token: string, tokenFile: string): string
}

export const localConsole = ({ store, letters, history, log }: LocalConsoleOptions): LocalConsole => {
  let app: ReturnType<typeof createConsole> | undefined
  return {
    routes: consoleRoutes(() => app),
    open(url, token, tokenFile) {
      const oneTime = createOneTime(token)
      const backends = localBackends({
        ...{ token, user: userName(), store, letters, history },
        howToLogIn: ['The token of this waybill run is in a file that only its user can read:', `$ cat ${tokenFile}`],
        create(kind, manifest) {
          const created = store.create(kind, { apiVersion, kind: kind.kind, ...manifest })
          return 'metadata' in created ? undefined : refusedBy(created)
        },
        patch: (kind: Kind, { namespace, name }, spec) => refusedBy(store.patch(kind, namespace, name, spec)),
        remove: (kind: Kind, { namespace, name }) => refusedBy(store.withdraw(kind, namespace, name)),
      })
      app = createConsole({
        ...{ backends, oneTime, isSecure: () => false, isOurHost: isLoopbackName },
        name: `waybill-console-${new URL(url).port}`,
        failed: (error) => log.error({ error }, 'Could not answer a request for the console'),
      })
      return `${url}${paths.login}?once=${oneTime.token}`
    },
  }
}

const refusedBy = (problems: readonly Problem[]) =>
  problems.length === 0 ? undefined : { problem: { code: 422, message: problems.map(problemText).join('; ') } }
