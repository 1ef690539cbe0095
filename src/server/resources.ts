import { keyOf } from '../api/resource.ts'
import { apiStatus } from './api-status.ts'
import type { Routes } from './routes.ts'

type Served = { readonly metadata: { readonly namespace: string; readonly name: string } }

/** A kind of resource to serve: its items are served as they are. */
export type ServedKind = {
  readonly kind: string
  readonly plural: string
  list(): readonly Served[]
}

/**
 * `/apis/…`: the resources with their status, in the shape of the Kubernetes API and read-only. Secrets are not served.
 * `apiVersion` is `waybill.dev/v1alpha1`.
 */
export const resourceRoutes =
  (apiVersion: string, kinds: readonly ServedKind[]): Routes =>
  (app) => {
    const base = `/apis/${apiVersion}`
    for (const { kind, plural, list } of kinds) {
      const listOf = (items: readonly Served[]) => ({
        apiVersion,
        kind: `${kind}List`,
        metadata: {},
        items: sorted(items),
      })
      app.get(`${base}/${plural}`, (context) => context.json(listOf(list())))
      app.get(`${base}/namespaces/:namespace/${plural}`, (context) => {
        const namespace = context.req.param('namespace')
        return context.json(listOf(list().filter(({ metadata }) => metadata.namespace === namespace)))
      })
      app.get(`${base}/namespaces/:namespace/${plural}/:name`, (context) => {
        const { namespace, name } = context.req.param()
        const found = list().find(({ metadata }) => metadata.namespace === namespace && metadata.name === name)
        const message = `${plural}.${apiVersion.split('/')[0]} "${name}" not found in namespace ${namespace}`
        return found ? context.json(found) : context.json(apiStatus(404, 'NotFound', message), 404)
      })
    }
  }

const sorted = (items: readonly Served[]): Served[] => items.toSorted((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1))
