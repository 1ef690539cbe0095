import type { Routes } from './routes.ts'

/** `/healthz`, and `/readyz`, which answers 200 when all the named checks hold. */
export const healthRoutes =
  (readiness: Readonly<Record<string, () => boolean>>): Routes =>
  (app) => {
    app.get('/healthz', (context) => context.text('ok\n'))
    app.get('/readyz', (context) => {
      const failed = Object.keys(readiness).filter((name) => !readiness[name]?.())
      return failed.length === 0 ? context.text('ok\n') : context.text(`not ready: ${failed.join(', ')}\n`, 503)
    })
  }
