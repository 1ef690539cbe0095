import type { Blob as Body } from 'node:buffer'
import type { ResourceName } from '../../api/resource.ts'
import type { Ask } from '../remote/remote.ts'

/** The data port of a running Waybill, for one subscription. Answers that are not 2xx are thrown as a Failure. */
export type DataClient = {
  get(path: string, query?: URLSearchParams): Promise<Response>
  /** The answer may take as long as it likes. */
  stream(path: string, query: URLSearchParams): Promise<Response>
  post(path: string, query: URLSearchParams, body: Body): Promise<Response>
}

const answerWithinMs = 120_000

export const dataClient = (ask: Ask, { namespace, name }: ResourceName): DataClient => {
  const base = `/namespaces/${encodeURIComponent(namespace)}/subscriptions/${encodeURIComponent(name)}/deadletters`
  const nothing = new URLSearchParams()
  return {
    get: (path, query = nothing) => ask(base + path, query, { signal: AbortSignal.timeout(answerWithinMs) }),
    stream: (path, query) => ask(base + path, query, {}),
    post: (path, query, body) =>
      ask(base + path, query, { method: 'POST', body: body as NonNullable<RequestInit['body']> }),
  }
}
