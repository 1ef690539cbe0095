import type { Context, MiddlewareHandler } from 'hono'

/** What every answer says, so that nothing of a message ever runs, is kept, or is shown inside of another page. */
export const careful: Readonly<Record<string, string>> = {
  'content-security-policy': [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' data:",
    "form-action 'self'",
    "connect-src 'self'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
  ].join('; '),
  'x-content-type-options': 'nosniff',
  'cache-control': 'no-store',
  'referrer-policy': 'no-referrer',
  'x-frame-options': 'DENY',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
}

/** Adds {@link careful} to each answer, also to refusals. */
export const withCare: MiddlewareHandler = async (context, next) => {
  await next()
  for (const [name, value] of Object.entries(careful)) {
    if (!context.res.headers.has(name)) context.res.headers.set(name, value)
  }
}

/** Why a request is not for the console, before anybody asks who sent it. */
export type Refusal = { readonly code: 403 | 415 | 421; readonly message: string }

/** What of a request says where it comes from. */
export type Sent = {
  readonly method: string
  readonly host: string | undefined
  readonly origin: string | undefined
  readonly fetchSite: string | undefined
  readonly contentType: string | undefined
}

export const sentOf = (context: Context): Sent => ({
  method: context.req.method,
  host: context.req.header('host'),
  origin: context.req.header('origin'),
  fetchSite: context.req.header('sec-fetch-site'),
  contentType: context.req.header('content-type'),
})

const form = /^application\/x-www-form-urlencoded\s*(;|$)/i

/** Requests that change something come from our own pages' forms; `isOurHost` says under which names the console is. */
export const refusalOf = (sent: Sent, isOurHost: (host: string) => boolean): Refusal | undefined => {
  if (!isOurHost(sent.host ?? '')) return { code: 421, message: 'The console is not served under this name.' }
  if (sent.method === 'GET' || sent.method === 'HEAD') return undefined
  if (!isFromHere(sent)) return { code: 403, message: 'This was sent by another page, so nothing was done.' }
  if (!form.test(sent.contentType ?? '')) {
    return { code: 415, message: 'Only forms are accepted: application/x-www-form-urlencoded.' }
  }
  return undefined
}

/** Browsers say so in Sec-Fetch-Site. Those that do not know it say where the page is in Origin. */
const isFromHere = ({ fetchSite, origin, host }: Sent): boolean => {
  if (fetchSite !== undefined) return fetchSite === 'same-origin'
  return origin !== undefined && URL.canParse(origin) && new URL(origin).host === host
}
