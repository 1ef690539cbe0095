import type { Routes } from './routes.ts'

/** `/metrics`, in Prometheus' text format. */
export const metricsRoutes =
  (metrics: () => Promise<string>): Routes =>
  (app) => {
    app.get('/metrics', async (context) =>
      context.body(await metrics(), 200, { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' }),
    )
  }
