import type { Context } from 'hono'
import { apiStatus } from '../api-status.ts'
import type { Routes } from '../routes.ts'
import type { Access } from './access.ts'
import { careful, denial } from './denial.ts'

/** The last hour of the subscriptions of a namespace, or of one; `undefined` until there is any. */
export type ServedHistory = (namespace: string, name?: string) => object | undefined

/**
 * `/namespaces/…/history` and `/namespaces/…/subscriptions/…/history`: counts of the last hour, to those who may list dead letters,
 * of all subscriptions of the namespace or of this one.
 */
export const historyRoutes =
  (history: ServedHistory, access: Access): Routes =>
  (app) => {
    const answer = async (context: Context, namespace: string, name?: string): Promise<Response> => {
      const denied = await denial(context, access, { namespace, subscription: name ?? '', right: 'list' })
      if (denied) return denied
      const hour = history(namespace, name)
      if (hour) return context.json(hour, 200, careful)
      return context.json(apiStatus(503, 'ServiceUnavailable', 'not yet: this process starts'), 503, careful)
    }
    app.get('/namespaces/:namespace/history', (context) => answer(context, context.req.param('namespace')))
    app.get('/namespaces/:namespace/subscriptions/:name/history', (context) =>
      answer(context, context.req.param('namespace'), context.req.param('name')),
    )
  }
