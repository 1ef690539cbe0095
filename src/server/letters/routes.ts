import type { Context, Hono } from 'hono'
import type { ResourceName } from '../../api/resource.ts'
import { apiStatus } from '../api-status.ts'
import type { Routes } from '../routes.ts'
import type { Access, Right } from './access.ts'
import { careful, denial } from './denial.ts'

type Refused = {
  readonly problem: { readonly code: 400 | 404 | 409 | 413 | 503; readonly reason: string; readonly message: string }
}
type Answer<T> = Promise<T | Refused>

/** The dead letters that are served. */
export type ServedLetters = {
  list(of: ResourceName, query: URLSearchParams): Answer<object>
  find(
    of: ResourceName,
    id: string,
  ): Answer<{ readonly letter: object; readonly copies: number; readonly body: Buffer }>
  export(of: ResourceName, query: URLSearchParams): Answer<{ readonly lines: ReadableStream<Uint8Array> }>
  import(of: ResourceName, query: URLSearchParams, body: AsyncIterable<Uint8Array>): Answer<object>
}

const base = '/namespaces/:namespace/subscriptions/:name/deadletters'

/** `/namespaces/…/subscriptions/…/deadletters`: the dead letters of a subscription, to those who may see them. */
export const letterRoutes =
  (letters: ServedLetters, access: Access): Routes =>
  (app) => {
    const on = answerWith(app, access)
    const get = (...route: [path: string, right: Right, handle: Handle]): void => on('GET', ...route)
    get(base, 'list', async (context, of) => {
      const listed = await letters.list(of, queryOf(context))
      return 'problem' in listed ? refusal(context, listed) : context.json(listed, 200, careful)
    })
    get(`${base}/export`, 'body', async (context, { namespace, name }) => {
      const found = await letters.export({ namespace, name }, queryOf(context))
      if ('problem' in found) return refusal(context, found)
      return context.body(found.lines, 200, {
        ...careful,
        'content-type': 'application/x-ndjson',
        'content-disposition': `attachment; filename="${namespace}.${name}.jsonl"`,
      })
    })
    on('POST', `${base}/import`, 'update', async (context, of) => {
      const imported = await letters.import(of, queryOf(context), context.req.raw.body ?? nothing())
      return 'problem' in imported ? refusal(context, imported) : context.json(imported, 200, careful)
    })
    get(`${base}/:id`, 'get', async (context, of) => {
      const found = await findIn(letters, context, of)
      if ('problem' in found) return refusal(context, found)
      const { body: _, ...rest } = found
      return context.json(rest, 200, careful)
    })
    get(`${base}/:id/body`, 'body', async (context, of) => {
      const found = await findIn(letters, context, of)
      if ('problem' in found) return refusal(context, found)
      return context.body(new Uint8Array(found.body), 200, {
        ...careful,
        'content-type': 'application/octet-stream',
        'content-disposition': `attachment; filename="${context.req.param('id')}.bin"`,
      })
    })
  }

/** What a request without a body holds. */
async function* nothing(): AsyncGenerator<Uint8Array> {}

type Handle = (context: Context, of: ResourceName) => Promise<Response>

/** Adds routes that are answered to those who have the right. */
const answerWith =
  (app: Hono, access: Access) =>
  (method: 'GET' | 'POST', path: string, right: Right, handle: Handle): void => {
    app.on(method, path, async (context) => {
      const { namespace, name } = context.req.param() as Record<string, string> & ResourceName
      const denied = await denial(context, access, { namespace, subscription: name, right })
      return denied ?? handle(context, { namespace, name })
    })
  }

const queryOf = (context: Context): URLSearchParams => new URL(context.req.url).searchParams

const findIn = (letters: ServedLetters, context: Context, of: ResourceName) => {
  const [unknown] = queryOf(context).keys()
  if (unknown === undefined) return letters.find(of, context.req.param('id') ?? '')
  const message = `unknown parameter ${JSON.stringify(unknown)}: there are none here`
  return Promise.resolve<Refused>({ problem: { code: 400, reason: 'BadRequest', message } })
}

const refusal = (context: Context, { problem: { code, reason, message } }: Refused): Response =>
  context.json(apiStatus(code, reason, message), code, careful)
