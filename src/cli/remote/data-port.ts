import { isLoopbackUrl } from '../../server/listen.ts'
import { readToken, tokenFile } from '../data/token-file.ts'
import { exits, Failure } from '../failure.ts'
import type { Ask } from './remote.ts'

/** A data port, and what it is asked with. */
export type DataPort = { readonly url: URL; readonly token: string }

/** `hint` says what to do where nothing answers. */
export const asking =
  ({ url, token }: DataPort, fetch: typeof globalThis.fetch, hint: string): Ask =>
  async (path, query, init) => {
    const to = new URL(url.pathname.replace(/\/+$/, '') + path, url)
    to.search = query.toString()
    const headers = { ...init.headers, authorization: `Bearer ${token}` }
    const answer = await fetch(to, { ...init, headers, redirect: 'error' }).catch((cause: Error) => {
      const reason = cause.cause instanceof Error ? cause.cause.message : cause.message
      throw new Failure(`no data port answers at ${url.origin} (${reason}): ${hint}`, { cause })
    })
    if (!answer.ok) throw await failureOf(answer)
    return answer
  }

/** The data port at an address. @throws Failure where that says nothing that can be used */
export const serverOf = (server: string, token = process.env.WAYBILL_TOKEN): DataPort => {
  const url = URL.canParse(server) ? new URL(server) : undefined
  if (url === undefined || !['http:', 'https:'].includes(url.protocol)) {
    const message = `--server must be a URL such as http://127.0.0.1:9403, found "${server}"`
    throw new Failure(message, { exitCode: exits.usage })
  }
  const isHere = isLoopbackUrl(url)
  if (url.protocol === 'http:' && !isHere) {
    throw new Failure(`--server ${server} would get the token unencrypted: use https`, { exitCode: exits.usage })
  }
  const path = tokenFile(Number(url.port) || (url.protocol === 'https:' ? 443 : 80))
  // The file is for this machine: no other server gets the token that is in it.
  const known = token || (isHere ? readToken(path) : undefined)
  if (known === undefined) {
    const where = isHere ? `, or start waybill run, which writes ${path}` : ''
    throw new Failure(`needs a token: set --token or WAYBILL_TOKEN${where}`, { exitCode: exits.notPermitted })
  }
  return { url, token: tokenText(known) }
}

/** @throws Failure where it cannot be sent */
export const tokenText = (token: string): string => {
  if (/^[\x21-\x7e]+$/.test(token)) return token
  throw new Failure('the token has characters that no token has', { exitCode: exits.usage })
}

const failureOf = async (answer: Response): Promise<Failure> => {
  const { status } = answer
  const body = (await answer.json().catch(() => undefined)) as { message?: unknown } | undefined
  const message = typeof body?.message === 'string' ? body.message : `it answered ${status}`
  if ([401, 403, 421].includes(status))
    return new Failure(`not permitted: ${message}`, { exitCode: exits.notPermitted })
  return new Failure(message, { exitCode: [400, 422].includes(status) ? exits.usage : exits.failed })
}
