import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { getRequestListener } from '@hono/node-server'
import { Hono } from 'hono'
import { keyOf } from '../api/resource.ts'

type Served = { readonly metadata: { readonly namespace: string; readonly name: string } }

/** A kind of resource to show: its items are served as they are. */
export type ServedKind = {
  readonly kind: string
  readonly plural: string
  list(): readonly Served[]
}

export type ServerOptions = {
  /** `host:port`, `[::1]:port`, or `:port` for every address; port 0 takes a free one. */
  readonly listen: string
  /** The page of `/metrics`, in Prometheus' text format. */
  readonly metrics: () => Promise<string>
  /** Named checks; `/readyz` says 200 when all hold. */
  readonly readiness: Readonly<Record<string, () => boolean>>
  /** `waybill.dev/v1alpha1`. */
  readonly apiVersion: string
  readonly kinds: readonly ServedKind[]
  /** Further pages, by path: JSON; `undefined` is answered 204. */
  readonly pages?: Readonly<Record<string, Page>>
}

export type Page = (query: URLSearchParams) => object | undefined

/** The address cannot be listened on. */
export class ListenError extends Error {
  override readonly name = 'ListenError'
}

/**
 * Serves `/metrics`, `/healthz`, `/readyz` and, read-only and in the shape of the Kubernetes API, the resources with
 * their status. There is no write and there are no Secrets. Resolves once it listens; ends with the signal.
 */
export const startServer = async (options: ServerOptions, signal: AbortSignal): Promise<{ readonly url: string }> => {
  const { host, port } = hostAndPort(options.listen)
  const server = createServer(getRequestListener(application(options).fetch))
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) =>
      reject(new ListenError(why(options.listen, cause), { cause })),
    )
    server.listen(port, host, resolve)
  })
  const close = (): void => {
    server.close()
    server.closeAllConnections()
  }
  if (signal.aborted) close()
  else signal.addEventListener('abort', close, { once: true })
  const bound = server.address() as AddressInfo
  return { url: `http://${bound.family === 'IPv6' ? `[${bound.address}]` : bound.address}:${bound.port}` }
}

const application = ({ metrics, readiness, apiVersion, kinds, pages = {} }: ServerOptions): Hono => {
  const app = new Hono()
  app.get('/metrics', async (context) =>
    context.body(await metrics(), 200, { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' }),
  )
  app.get('/healthz', (context) => context.text('ok\n'))
  app.get('/readyz', (context) => {
    const failed = Object.keys(readiness).filter((name) => !readiness[name]?.())
    return failed.length === 0 ? context.text('ok\n') : context.text(`not ready: ${failed.join(', ')}\n`, 503)
  })
  for (const { kind, plural, list } of kinds) {
    const base = `/apis/${apiVersion}`
    const answer = (items: readonly Served[]) => ({
      apiVersion,
      kind: `${kind}List`,
      metadata: {},
      items: sorted(items),
    })
    app.get(`${base}/${plural}`, (context) => context.json(answer(list())))
    app.get(`${base}/namespaces/:namespace/${plural}`, (context) => {
      const namespace = context.req.param('namespace')
      return context.json(answer(list().filter(({ metadata }) => metadata.namespace === namespace)))
    })
    app.get(`${base}/namespaces/:namespace/${plural}/:name`, (context) => {
      const { namespace, name } = context.req.param()
      const found = list().find(({ metadata }) => metadata.namespace === namespace && metadata.name === name)
      const message = `${plural}.${apiVersion.split('/')[0]} "${name}" not found in namespace ${namespace}`
      return found ? context.json(found) : context.json(failure(404, 'NotFound', message), 404)
    })
  }
  for (const [path, page] of Object.entries(pages)) {
    app.get(path, (context) => {
      const found = page(new URL(context.req.url).searchParams)
      return found === undefined ? context.body(null, 204) : context.json(found)
    })
  }
  app.notFound((context) => context.json(failure(404, 'NotFound', `there is no ${context.req.path} here`), 404))
  return app
}

/** An error as the Kubernetes API answers it. */
const failure = (code: number, reason: string, message: string) => ({
  apiVersion: 'v1',
  kind: 'Status',
  status: 'Failure',
  reason,
  message,
  code,
})

const sorted = (items: readonly Served[]): Served[] => items.toSorted((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1))

const hostAndPort = (listen: string): { host: string | undefined; port: number } => {
  const [, host, digits] = /^(?:\[?([^[\]\s/]*?)\]?):(\d{1,5})$/.exec(listen) ?? []
  const port = Number(digits)
  if (digits === undefined || port > 65535) {
    throw new ListenError(`Cannot listen on ${JSON.stringify(listen)}: give host:port, such as 127.0.0.1:9402`)
  }
  return { host: host || undefined, port }
}

const why = (listen: string, { code, message }: NodeJS.ErrnoException): string => {
  if (code === 'EADDRINUSE') return `Cannot listen on ${listen}: the port is in use; choose another with --listen`
  if (code === 'EACCES') return `Cannot listen on ${listen}: not permitted; choose a port above 1023 with --listen`
  if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND')
    return `Cannot listen on ${listen}: this machine has no such address`
  return `Cannot listen on ${listen}: ${message}`
}
