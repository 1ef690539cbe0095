/**
 * What a process serves over HTTP. Each group of pages is one file with a function that adds its routes, and one line
 * where a process starts its server (cli/serve.ts). A group gets what it serves as functions; it knows neither the
 * operator nor the dispatcher.
 */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { getRequestListener } from '@hono/node-server'
import { Hono } from 'hono'
import { apiStatus } from './api-status.ts'
import { hostAndPort, listenError } from './listen.ts'
import type { Routes } from './routes.ts'
import { secureServer, type Tls } from './secure.ts'

export type ServerOptions = {
  /** `host:port`, `[::1]:port`, or `:port` for every address; port 0 takes a free one. */
  readonly listen: string
  readonly routes: readonly Routes[]
  /** The option of the command that the address is from. Default: `--listen`. */
  readonly option?: string
  /** Whether a request may take longer to arrive than five minutes. */
  readonly longRequests?: boolean
  /** Called with an error that a page threw; the request is answered with 500. Default: it is written to standard error. */
  readonly failed?: (error: unknown) => void
  /** Serves HTTPS. */
  readonly tls?: Tls
}

/** Serves the groups of pages, and 404 for all else. Resolves once it listens; ends with the signal. @throws ListenError */
export const startServer = async (
  { listen, routes, option = '--listen', tls, longRequests, failed }: ServerOptions,
  signal: AbortSignal,
): Promise<{ readonly url: string }> => {
  const { host, port } = hostAndPort(listen)
  const listener = getRequestListener(application(routes, failed).fetch)
  const server = tls ? secureServer({ listen, tls, listener }, signal) : createServer(listener)
  if (longRequests) server.requestTimeout = 0
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause) => reject(listenError(listen, option, cause)))
    server.listen(port, host, resolve)
  })
  const close = (): void => {
    server.close()
    server.closeAllConnections()
  }
  if (signal.aborted) close()
  else signal.addEventListener('abort', close, { once: true })
  const bound = server.address() as AddressInfo
  return {
    url: `${tls ? 'https' : 'http'}://${bound.family === 'IPv6' ? `[${bound.address}]` : bound.address}:${bound.port}`,
  }
}

const application = (routes: readonly Routes[], failed: ServerOptions['failed']): Hono => {
  const app = new Hono()
  for (const add of routes) add(app)
  app.notFound((context) => context.json(apiStatus(404, 'NotFound', `no such path: ${context.req.path}`), 404))
  if (failed) {
    app.onError((error, context) => {
      failed(error)
      return context.json(apiStatus(500, 'InternalError', 'an unexpected error, which the log names'), 500)
    })
  }
  return app
}
