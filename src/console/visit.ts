import type { Context } from 'hono'
import { isSameSecret } from '../server/same-secret.ts'
import { cookieValue, setCookies } from './cookies.ts'
import type { OneTime } from './one-time.ts'
import type { Viewer } from './pages/layout.ts'
import { loginPage } from './pages/login.ts'
import { base } from './pages/paths.ts'
import type { Backend, Backends } from './port.ts'
import { createSessions, type Session } from './session.ts'

/** One request of somebody who is logged in. */
export type Visit = { readonly backend: Backend; readonly form: string; readonly nowMs: number }

export const viewerOf = ({ backend, form }: Visit): Viewer => ({ user: backend.user.name, form })

export type SiteOptions = {
  readonly backends: Backends
  readonly name: string
  readonly isSecure: (host: string) => boolean
  readonly oneTime?: OneTime
  readonly trustsAuthorization?: boolean
  readonly nowMs: () => number
}

/** Who is logged in, and how they come in. */
export type Site = {
  /** `undefined` for somebody who is not logged in. @throws BackendError */
  visitOf(context: Context): Promise<Visit | undefined>
  isFormOf(visit: Visit, form: URLSearchParams): boolean
  /** The page for logging in, in place of the one that was asked for. */
  toLogin(context: Context, problem?: string, to?: string): Response | Promise<Response>
  /** Whether the form for logging in is one that this browser got. */
  isLoginForm(form: URLSearchParams): boolean
  /** Logs in; `undefined` where the token is not valid. @throws BackendError */
  login(context: Context, token: string): Promise<'in' | 'too long' | undefined>
  /** The token that this one is good for, once. */
  exchange(oneTime: string): string | undefined
  logout(context: Context): void
  /** Of a request that was found to be somebody's. */
  knownViewer(context: Context): Viewer | undefined
}

const seen = 'visit'

export const createVisits = (options: SiteOptions): Site => {
  const { backends, name, isSecure, oneTime, trustsAuthorization = false, nowMs } = options
  const sessions = createSessions(name)

  const sessionOf = (context: Context): Session | undefined => {
    const authorization = trustsAuthorization ? context.req.header('authorization') : undefined
    const token = /^Bearer +([\x21-\x7e]+)$/i.exec(authorization ?? '')?.[1]
    if (token === undefined) return sessions.open(cookieValue(context.req.header('cookie'), name), nowMs())
    // Of no session, because the proxy renews the token: its forms are those of the user.
    return { token, id: '', until: Number.POSITIVE_INFINITY }
  }

  const setCookie = (context: Context, value: string, maxAge: number): boolean => {
    const secure = isSecure(context.req.header('host') ?? '')
    const cookies = setCookies(value, { name, secure, maxAge })
    for (const cookie of cookies ?? []) context.header('set-cookie', cookie, { append: true })
    return cookies !== undefined
  }

  return {
    async visitOf(context) {
      const session = sessionOf(context)
      const backend = session && (await backends.as(session.token))
      if (session === undefined || backend === undefined) return undefined
      const of = session.id === '' ? `user ${backend.user.name}` : `session ${session.id}`
      const visit: Visit = { backend, form: sessions.formToken(of), nowMs: nowMs() }
      context.set(seen, visit)
      return visit
    },
    isFormOf: ({ form }, given) => isSameSecret(given.get('form') ?? '', form),
    toLogin(context, problem, to = context.req.method === 'GET' ? pathOf(context) : base) {
      const form = sessions.formToken('login')
      const page = loginPage({ howToLogIn: backends.howToLogIn, to, form, problem })
      return context.html(page, 401)
    },
    isLoginForm: (form) => sessions.isFormToken('login', form.get('form') ?? ''),
    async login(context, token) {
      if ((await backends.as(token)) === undefined) return undefined
      const session = sessions.begin(token, nowMs())
      const maxAge = Math.max(1, Math.floor((session.until - nowMs()) / 1000))
      return setCookie(context, sessions.seal(session), maxAge) ? 'in' : 'too long'
    },
    exchange: (given) => oneTime?.exchange(given),
    logout: (context) => void setCookie(context, '', 0),
    knownViewer(context) {
      const visit = context.get(seen) as Visit | undefined
      return visit && viewerOf(visit)
    },
  }
}

const pathOf = (context: Context): string => {
  const { pathname, search } = new URL(context.req.url)
  return pathname + search
}
