import { apiStatus } from './api-status.ts'
import type { Access } from './letters/access.ts'
import { denial } from './letters/denial.ts'
import type { Routes } from './routes.ts'

/** What became of a manifest: the resource, or why there is none. */
export type Created =
  | { readonly resource: object }
  | { readonly code: 409 | 422; readonly reason: string; readonly message: string }

/** A kind that can be created, by the plural in its path. */
export type CreatedKind = {
  readonly plural: string
  create(manifest: Readonly<Record<string, unknown>>): Created
}

const most = 1_048_576

/** `POST /apis/…/namespaces/…/PLURAL`: creates resources as the Kubernetes API does, for those who may. */
export const jobRoutes =
  (apiVersion: string, kinds: readonly CreatedKind[], access: Access): Routes =>
  (app) => {
    for (const { plural, create } of kinds) {
      app.post(`/apis/${apiVersion}/namespaces/:namespace/${plural}`, async (context) => {
        const { namespace } = context.req.param()
        const denied = await denial(context, access, { namespace, subscription: '', right: 'update' })
        if (denied) return denied
        const manifest = manifestIn(await context.req.text(), namespace)
        if (typeof manifest === 'string') return context.json(apiStatus(400, 'BadRequest', manifest), 400)
        const created = create(manifest)
        if ('resource' in created) return context.json(created.resource, 201)
        return context.json(apiStatus(created.code, created.reason, created.message), created.code)
      })
    }
  }

/** The manifest, or what is wrong with it. */
const manifestIn = (text: string, namespace: string): Readonly<Record<string, unknown>> | string => {
  if (text.length > most) return `the manifest must have at most ${most} bytes`
  let found: unknown
  try {
    found = JSON.parse(text)
  } catch {
    return 'the manifest must be JSON'
  }
  if (typeof found !== 'object' || found === null || Array.isArray(found)) return 'the manifest must be an object'
  const { metadata } = found as { metadata?: { namespace?: unknown } }
  if (metadata?.namespace !== undefined && metadata.namespace !== namespace)
    return 'metadata.namespace must be the one in the path'
  return { ...found, metadata: { ...metadata, namespace } }
}
