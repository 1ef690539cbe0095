/** A browser keeps 4,096 bytes of a cookie, and an OIDC token may be longer. */
const chunk = 3_800
/** What Node accepts of all headers is 16 KiB. */
const mostChunks = 3

export type CookieOptions = {
  /** `waybill-console`, with the port on a machine where several may run: cookies know no ports. */
  readonly name: string
  /** Sent over HTTPS alone. */
  readonly secure: boolean
  /** In seconds; 0 removes it. */
  readonly maxAge: number
}

/** The headers `Set-Cookie` that keep a value, or remove it; `undefined` where it is too long. */
export const setCookies = (value: string, { name, secure, maxAge }: CookieOptions): string[] | undefined => {
  if (value.length > chunk * mostChunks) return undefined
  const flags = `Path=/console; HttpOnly; SameSite=Strict${secure ? '; Secure' : ''}`
  return Array.from({ length: mostChunks }, (_, at) => {
    const part = value.slice(at * chunk, (at + 1) * chunk)
    return `${name}.${at}=${part}; ${flags}; Max-Age=${part === '' ? 0 : maxAge}`
  })
}

/** The value in a header `Cookie`; empty where there is none. */
export const cookieValue = (header: string | undefined, name: string): string => {
  const found = new Map(
    (header ?? '').split(/; */).map((pair) => {
      const at = pair.indexOf('=')
      return [pair.slice(0, at), pair.slice(at + 1)] as const
    }),
  )
  return Array.from({ length: mostChunks }, (_, at) => found.get(`${name}.${at}`) ?? '').join('')
}
