import type { Kind } from '../../src/api/resource.ts'
import { apiVersion } from '../../src/api/resource.ts'
import { apiServer } from '../support/api-server.ts'
import { request } from '../support/kubernetes/request.ts'

/** The API server's verdict on a manifest: its specification with the defaults, or why it was refused. */
export type Verdict =
  | { readonly spec: Record<string, unknown> }
  | { readonly refused: string; readonly causes: readonly Cause[] }
export type Cause = { readonly field: string; readonly message: string }

type Status = { message: string; details?: { causes?: { field?: string; message?: string }[] } }

/** Asks for a verdict without storing anything; unknown fields are refused, as kubectl does. */
export const dryRun = async (namespace: string, kind: Kind, spec: unknown, name = 'x'): Promise<Verdict> => {
  const path = `/apis/${apiVersion}/namespaces/${namespace}/${kind.plural}?dryRun=All&fieldValidation=Strict`
  return verdictOf(await request(apiServer(), 'POST', path, manifest(kind, name, spec)))
}

/** Stores an object, and asks whether its specification may be changed to another. */
export const dryRunChange = async (namespace: string, kind: Kind, old: unknown, spec: unknown): Promise<Verdict> => {
  const path = `/apis/${apiVersion}/namespaces/${namespace}/${kind.plural}`
  const { status, body } = await request(apiServer(), 'POST', path, manifest(kind, '', old))
  if (status !== 201) throw new Error(JSON.stringify(body))
  const { metadata } = body as { metadata: { name: string } }
  const change = { ...manifest(kind, '', spec), metadata }
  return verdictOf(await request(apiServer(), 'PUT', `${path}/${metadata.name}?dryRun=All`, change))
}

const manifest = (kind: Kind, name: string, spec: unknown): object => ({
  apiVersion,
  kind: kind.kind,
  metadata: name === '' ? { generateName: 'x-' } : { name },
  spec,
})

const verdictOf = ({ status, body }: { status: number; body: unknown }): Verdict => {
  if (status < 300) return body as { spec: Record<string, unknown> }
  if (status !== 422 && status !== 400) throw new Error(JSON.stringify(body))
  const { message, details } = body as Status
  const causes = (details?.causes ?? []).map(({ field = '', message = '' }) => ({ field, message }))
  return { refused: message, causes }
}
