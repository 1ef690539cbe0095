import { readFileSync } from 'node:fs'
import { LuaFactory } from 'wasmoon'
import { parse } from 'yaml'

export type Health = { readonly status: string; readonly message: string }

type ConfigMap = { readonly data: Readonly<Record<string, string>> }

/** What Argo CD has for the kind, in the ConfigMap that the example patches. */
const scripts = (): ConfigMap['data'] =>
  (parse(readFileSync('examples/gitops/argocd/argocd-cm.yaml', 'utf8')) as ConfigMap).data

/**
 * Argo CD's judgement of a resource by the scripts of the example: a Lua without libraries but the basic one, `obj` is
 * the resource, and what the script returns has a status and a message.
 */
export const argoHealth = async (): Promise<(resource: { readonly kind: string }) => Promise<Health>> => {
  const known = scripts()
  const factory = new LuaFactory()
  return async (resource) => {
    const script = known[`resource.customizations.health.waybill.dev_${resource.kind}`]
    if (script === undefined) throw new Error(`No health of ${resource.kind}`)
    const lua = await factory.createEngine({ openStandardLibs: false, injectObjects: false })
    try {
      return (await lua.doString(`${basics}\nlocal obj = ${literal(resource)}\n${script}`)) as Health
    } finally {
      lua.global.close()
    }
  }
}

/** The only part of Lua's libraries that scripts may use. */
const basics = `local function ipairs(list)
  local at = 0
  return function() at = at + 1; if list[at] ~= nil then return at, list[at] end end
end`

/** A value as Lua source, so that lists begin at 1 and what is absent is nil. */
const literal = (value: unknown): string => {
  if (Array.isArray(value)) return `{${value.map(literal).join(', ')}}`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'nil'
  const entries = Object.entries(value).filter(([, one]) => one !== undefined)
  return `{${entries.map(([key, one]) => `[${JSON.stringify(key)}] = ${literal(one)}`).join(', ')}}`
}
