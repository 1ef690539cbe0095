import { readFileSync } from 'node:fs'
import { Agent, buildConnector, fetch, type Response } from 'undici'
import type { ResourceName } from '../../api/resource.ts'
import type { LastHour } from '../../delivery/last-hour.ts'
import { BackendError, type FoundLetter, type Hours, type Listed, type RevealedHeader } from '../port.ts'
import { revealedIn } from './record-line.ts'

/** Where a dispatcher serves dead letters, asked with the token of a user. All throw a BackendError. */
export type DataPort = {
  list(token: string, of: ResourceName, query: URLSearchParams): Promise<Listed>
  find(token: string, of: ResourceName, id: string): Promise<FoundLetter>
  body(token: string, of: ResourceName, id: string): Promise<Uint8Array>
  headers(token: string, of: ResourceName, id: string): Promise<readonly RevealedHeader[]>
  hours(token: string, namespace: string, name?: string): Promise<Hours>
  close(): Promise<void>
}

export type DataPortOptions = {
  readonly server: URL
  /** A file in PEM: the only authorities that are trusted; it is read for each connection, because they change. */
  readonly ca?: string | undefined
}

const answerWithinMs = 120_000
const connectWithinMs = 5_000

export const createDataPort = ({ server, ca }: DataPortOptions): DataPort => {
  const connect: buildConnector.connector = (options, callback) =>
    buildConnector({ ...(ca === undefined ? {} : { ca: readFileSync(ca) }), timeout: connectWithinMs })(
      options,
      callback,
    )
  const dispatcher = new Agent({ connect, headersTimeout: answerWithinMs })

  const get = async (token: string, path: string, query?: URLSearchParams) => {
    const url = new URL(server.pathname.replace(/\/+$/, '') + path, server)
    if (query) url.search = query.toString()
    const headers = { authorization: `Bearer ${token}` }
    const signal = AbortSignal.timeout(answerWithinMs)
    const answer = await fetch(url, { headers, signal, redirect: 'error', dispatcher }).catch((cause: Error) => {
      throw new BackendError(503, 'The dispatcher does not answer; try again.', { cause })
    })
    if (!answer.ok) throw await refusalIn(answer)
    return answer
  }

  const within = (...parts: readonly string[]): string => `/${parts.map(encodeURIComponent).join('/')}`
  const ask = (token: string, { namespace, name }: ResourceName, path: string, query?: URLSearchParams) =>
    get(token, within('namespaces', namespace, 'subscriptions', name, 'deadletters') + path, query)
  const at = (id: string): string => `/${encodeURIComponent(id)}`
  return {
    list: async (token, of, query) => (await (await ask(token, of, '', query)).json()) as Listed,
    find: async (token, of, id) => (await (await ask(token, of, at(id))).json()) as FoundLetter,
    body: async (token, of, id) => new Uint8Array(await (await ask(token, of, `${at(id)}/body`)).arrayBuffer()),
    headers: async (token, of, id) =>
      revealedIn(await (await ask(token, of, '/export', new URLSearchParams({ id }))).text()),
    async hours(token, namespace, name) {
      const of = name === undefined ? [] : ['subscriptions', name]
      const answer = await get(token, within('namespaces', namespace, ...of, 'history'))
      const { subscriptions } = (await answer.json()) as { subscriptions: (LastHour & { name: string })[] }
      return new Map(subscriptions.map((hour) => [hour.name, hour]))
    },
    close: () => dispatcher.close(),
  }
}

const refusalIn = async (answer: Response): Promise<BackendError> => {
  const body = (await answer.json().catch(() => undefined)) as { message?: unknown } | undefined
  const message = typeof body?.message === 'string' ? body.message : `The dispatcher answered ${answer.status}.`
  // The API server knows the user: this is no reason to log in as they are.
  if (answer.status !== 401) return new BackendError(answer.status, message)
  return new BackendError(
    403,
    'The dispatcher does not accept your token: it must be made for the audience waybill too.',
  )
}
