import { base } from '../../console/pages/paths.ts'
import type { Routes } from '../../server/routes.ts'

/** The console beside the other pages of a server; `undefined` until it can be served. */
export const consoleRoutes =
  (served: () => { fetch(request: Request): Response | Promise<Response> } | undefined): Routes =>
  (app) => {
    for (const path of [base, `${base}/*`]) {
      app.all(path, (context) => served()?.fetch(context.req.raw) ?? context.text('not yet\n', 503))
    }
  }
