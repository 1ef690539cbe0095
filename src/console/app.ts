import { type Context, Hono } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import { script } from './assets/script.ts'
import { style } from './assets/style.ts'
import { refusalOf, sentOf, withCare } from './guard.ts'
import type { OneTime } from './one-time.ts'
import { paths } from './pages/paths.ts'
import { problemPage } from './pages/problem.ts'
import { BackendError, type Backends } from './port.ts'
import { addCheck } from './routes/check.ts'
import { addJobs } from './routes/jobs.ts'
import { addLetters } from './routes/letters.ts'
import { addLogin } from './routes/login.ts'
import { addOthers } from './routes/others.ts'
import { addOverview } from './routes/overview.ts'
import { addSubscription } from './routes/subscription.ts'
import { answerWith, pagesOf } from './served.ts'
import { createVisits, type Site } from './visit.ts'

export type ConsoleOptions = {
  readonly backends: Backends
  /** Of the cookie; see {@link Site}. */
  readonly name: string
  readonly isOurHost: (host: string) => boolean
  /** Whether the cookie is sent over HTTPS alone, for those who come under this name. */
  readonly isSecure: (host: string) => boolean
  /** Logs in whoever has it, once. */
  readonly oneTime?: OneTime
  /** A token in the header Authorization is taken, as a proxy in front sets it. */
  readonly trustsAuthorization?: boolean
  /** Called with an error that nobody expected; it holds nothing of a message. */
  readonly failed: (error: unknown) => void
  readonly nowMs?: () => number
}

const mostOfForm = 256 * 1024

/** The console: pages , for whoever logs in, and what they may do with their own token. */
export const createConsole = (options: ConsoleOptions): Hono => {
  const { isOurHost, failed, nowMs = Date.now } = options
  const site = createVisits({ ...options, nowMs })
  const app = new Hono()
  app.use(withCare)
  app.use(async (context, next) => {
    const refused = refusalOf(sentOf(context), isOurHost)
    return refused ? answerWith(context, problemPage(refused.code, refused.message), refused.code) : next()
  })
  app.use(
    bodyLimit({
      maxSize: mostOfForm,
      onError: (context) => answerWith(context, problemPage(413, 'The form is too long.'), 413),
    }),
  )
  app.get(paths.style, (context) => context.body(style, 200, asset('text/css')))
  app.get(paths.script, (context) => context.body(script(), 200, asset('text/javascript')))
  addLogin(app, site)
  for (const add of [addOverview, addSubscription, addLetters, addCheck, addJobs, addOthers]) add(pagesOf(app, site))
  app.notFound((context) => answerWith(context, problemPage(404, 'There is no such page.'), 404))
  app.onError((error, context) => {
    if (error instanceof BackendError) return problemOf(context, error, site)
    failed(error)
    return answerWith(context, problemPage(500, 'An unexpected error, which the log names.'), 500)
  })
  return app
}

const asset = (type: string) => ({ 'content-type': `${type}; charset=utf-8`, 'cache-control': 'private, max-age=600' })

/** A token that is no longer valid is one to log in again with. */
const problemOf = async (context: Context, { code, message }: BackendError, site: Site): Promise<Response> => {
  if (code === 401) return site.toLogin(context, message)
  return answerWith(context, problemPage(code, message, site.knownViewer(context)), code)
}
