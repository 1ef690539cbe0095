import type { Blob as Body } from 'node:buffer'
import { isLoopback } from '../../server/listen.ts'
import { readToken, tokenFile } from '../data/token-file.ts'
import { exits, Failure } from '../failure.ts'

export type ServerOptions = {
  /** The data port. */
  readonly server: string
  readonly token?: string
}

export type Named = { readonly namespace: string; readonly name: string }

/** The data port of a running Waybill, for one subscription. Answers that are not 2xx are thrown as a Failure. */
export type DataClient = {
  get(path: string, query?: URLSearchParams): Promise<Response>
  /** The answer may take as long as it likes. */
  stream(path: string, query: URLSearchParams): Promise<Response>
  post(path: string, query: URLSearchParams, body: Body): Promise<Response>
}

/** One request to the data port. @throws Failure where the answer is not 2xx */
export type Ask = (path: string, query: URLSearchParams, init: RequestInit) => Promise<Response>

const answerWithinMs = 120_000

/** `hint` says what to do where nothing answers. @throws Failure where the options say nothing that can be used */
export const asking = (options: ServerOptions, hint: string): Ask => {
  const { url, token } = serverOf(options)
  return async (path, query, init) => {
    const to = new URL(url.pathname.replace(/\/+$/, '') + path, url)
    to.search = query.toString()
    const headers = { ...init.headers, authorization: `Bearer ${token}` }
    const answer = await fetch(to, { ...init, headers, redirect: 'error' }).catch((cause: Error) => {
      const reason = cause.cause instanceof Error ? cause.cause.message : cause.message
      throw new Failure(`no data port answers at ${options.server} (${reason}): ${hint}`, { cause })
    })
    if (!answer.ok) throw await failureOf(answer)
    return answer
  }
}

/** @throws Failure where the options say nothing that can be used */
export const dataClient = (options: ServerOptions, { namespace, name }: Named): DataClient => {
  const ask = asking(options, 'waybill run serves it at 127.0.0.1:9403; set another address with --server')
  const base = `/namespaces/${encodeURIComponent(namespace)}/subscriptions/${encodeURIComponent(name)}/deadletters`
  const nothing = new URLSearchParams()
  return {
    get: (path, query = nothing) => ask(base + path, query, { signal: AbortSignal.timeout(answerWithinMs) }),
    stream: (path, query) => ask(base + path, query, {}),
    post: (path, query, body) =>
      ask(base + path, query, { method: 'POST', body: body as NonNullable<RequestInit['body']> }),
  }
}

const serverOf = ({ server, token = process.env.WAYBILL_TOKEN }: ServerOptions): { url: URL; token: string } => {
  const url = URL.canParse(server) ? new URL(server) : undefined
  if (url === undefined || !['http:', 'https:'].includes(url.protocol)) {
    const message = `--server must be a URL such as http://127.0.0.1:9403, found "${server}"`
    throw new Failure(message, { exitCode: exits.usage })
  }
  const isHere = isLoopback(url.hostname.replace(/^\[(.*)\]$/, '$1'))
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
  if (/^[\x21-\x7e]+$/.test(known)) return { url, token: known }
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
