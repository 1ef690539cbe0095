import type { Context, Hono } from 'hono'
import { base, paths } from '../pages/paths.ts'
import type { Site } from '../visit.ts'

const mostOfToken = 8_192

/** Logging in with a token, or with the one in the address that `waybill run` prints; and out. */
export const addLogin = (app: Hono, site: Site): void => {
  app.get(paths.login, async (context) => {
    const token = site.exchange(context.req.query('once') ?? '')
    if (token !== undefined && (await site.login(context, token)) === 'in') return context.redirect(base, 303)
    const wasUsed = context.req.query('once') !== undefined
    return site.toLogin(context, wasUsed ? 'This address was used before: it is good for once.' : undefined, base)
  })
  app.post(paths.login, async (context) => {
    const form = new URLSearchParams(await context.req.text())
    const to = placeIn(form.get('to') ?? '')
    if (!site.isLoginForm(form)) return site.toLogin(context, 'The page was too old: try again.', to)
    const token = (form.get('token') ?? '').trim()
    const isToken = token.length <= mostOfToken && /^[\x21-\x7e]+$/.test(token)
    const login = isToken ? await site.login(context, token) : undefined
    if (login === 'in') return context.redirect(to, 303)
    const problem = login === undefined ? 'This token is not valid.' : 'This token is too long for a cookie.'
    return site.toLogin(context, problem, to)
  })
  app.get(paths.logout, (context) => context.body(null, 405, { allow: 'POST' }))
  app.post(paths.logout, (context: Context) => {
    site.logout(context)
    return context.redirect(paths.login, 303)
  })
}

/** A page of the console, and nothing elsewhere. */
const placeIn = (to: string): string => {
  if (!URL.canParse(to, 'http://console.invalid')) return base
  const { origin, pathname, search } = new URL(to, 'http://console.invalid')
  const isOurs = origin === 'http://console.invalid' && (pathname === base || pathname.startsWith(`${base}/`))
  return isOurs ? pathname + search : base
}
