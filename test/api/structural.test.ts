import { Environment } from '@marcbachmann/cel-js'
import { kinds } from '../../src/api/kinds/kinds.ts'
import { crd } from '../../src/api/published/crd.ts'
import { brokenRules } from '../../src/api/schema/rules.ts'
import type { Rule, Schema } from '../../src/api/schema/schema.ts'

/**
 * What the API server asks of a CRD's schema, where it can be told without one.
 * https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#specifying-a-structural-schema
 */
type Node = { readonly path: string; readonly schema: Schema; readonly required: boolean }

const walk = (schema: Schema, path: string, required = true): Node[] => {
  const own = [{ path, schema, required }]
  if (schema.type === 'array') return [...own, ...walk(schema.items, `${path}[]`)]
  if ('additionalProperties' in schema) return [...own, ...walk(schema.additionalProperties, `${path}{}`)]
  if (!('properties' in schema)) return own
  const inner = Object.entries(schema.properties).flatMap(([name, property]) =>
    walk(property, `${path}.${name}`, schema.required?.includes(name) ?? false),
  )
  return [...own, ...inner]
}

const nodes = kinds.flatMap(({ kind, spec, status }) => [
  ...walk(spec, `${kind}.spec`),
  ...walk(status, `${kind}.status`),
])
const specNodes = nodes.filter(({ path }) => path.includes('.spec'))
const pathsOf = (found: readonly Node[]): string[] => found.map(({ path }) => path)

const common = ['type', 'description', 'default', 'x-kubernetes-validations']
const keywords: Record<Schema['type'], readonly string[]> = {
  string: [...common, 'enum', 'format', 'minLength', 'maxLength'],
  integer: [...common, 'format', 'minimum', 'maximum'],
  boolean: common,
  array: [...common, 'items', 'minItems', 'maxItems', 'x-kubernetes-list-type', 'x-kubernetes-list-map-keys'],
  object: [
    ...[...common, 'properties', 'required', 'additionalProperties', 'maxProperties', 'x-waybill-secret'],
    'x-kubernetes-map-type',
  ],
}

test('every node of a schema has a type and only keywords that a structural schema allows', () => {
  const odd = nodes.filter(({ schema }) => Object.keys(schema).some((key) => !keywords[schema.type].includes(key)))
  expect(pathsOf(odd)).toEqual([])
})

test('a schema never has both properties and additionalProperties', () => {
  expect(pathsOf(nodes.filter(({ schema }) => 'properties' in schema && 'additionalProperties' in schema))).toEqual([])
})

test('every required property of a schema exists', () => {
  const odd = nodes.filter(
    ({ schema }) => 'properties' in schema && schema.required?.some((name) => !(name in schema.properties)),
  )
  expect(pathsOf(odd)).toEqual([])
})

test('a field with a default is not required, because it is never missing', () => {
  expect(
    pathsOf(nodes.filter(({ schema, required, path }) => required && 'default' in schema && !path.endsWith(']'))),
  ).toEqual([])
})

test('an object that defaults to {} has no required property without a default', () => {
  const odd = nodes.filter(({ schema }) => 'properties' in schema && schema.default && schema.required?.length)
  expect(pathsOf(odd)).toEqual([])
})

test('a default is of the type of its field, is in its enum, and follows its rules', () => {
  const odd = nodes.filter(({ schema }) => {
    if (!('default' in schema) || schema.default === undefined) return false
    const value: unknown = schema.default
    if (brokenRules(schema, value, undefined, '').length > 0) return true
    if (schema.type === 'array') return !Array.isArray(value)
    if (schema.type === 'integer') return !Number.isInteger(value)
    return typeof value !== schema.type || (schema.type === 'string' && schema.enum?.includes(String(value)) === false)
  })
  expect(pathsOf(odd)).toEqual([])
})

test('every string, list and map of a specification has a limit, which bounds the cost of its CEL rules', () => {
  const odd = specNodes.filter(({ schema }) => {
    if (schema.type === 'string') return !('enum' in schema) && schema.maxLength === undefined
    if (schema.type === 'array') return schema.maxItems === undefined
    return 'additionalProperties' in schema && schema.maxProperties === undefined
  })
  expect(pathsOf(odd)).toEqual([])
})

test('every property of a schema has a description', () => {
  const odd = nodes.filter(({ schema, path }) => !schema.description && !/[\]}]$/.test(path))
  expect(pathsOf(odd)).toEqual([])
})

test('the items of a list-map require its keys; a set holds scalars', () => {
  const odd = nodes.filter(({ schema }) => {
    if (schema.type !== 'array') return false
    if (schema['x-kubernetes-list-type'] === 'set')
      return schema.items.type === 'object' || schema.items.type === 'array'
    if (schema['x-kubernetes-list-type'] !== 'map') return false
    const required = 'required' in schema.items ? (schema.items.required ?? []) : []
    return !schema['x-kubernetes-list-map-keys']?.every((key) => required.includes(key))
  })
  expect(pathsOf(odd)).toEqual([])
})

const rules = [
  ...nodes.flatMap(({ path, schema }) =>
    (schema['x-kubernetes-validations'] ?? []).map((rule) => [path, rule] as const),
  ),
  ...kinds.flatMap(({ kind, rules = [] }) => rules.map((rule) => [kind, rule] as const)),
].map(([path, rule]): [string, string, Rule] => [path, rule.rule, rule])

test.each(rules)('the %s rule %s is valid CEL, and its message is an instruction', (_path, rule, { message }) => {
  const environment = new Environment({ unlistedVariablesAreDyn: true })
  expect(() => environment.parse(rule)).not.toThrow()
  expect(message).toMatch(/^(must|needs|set|excludes|cannot) .*[^.]$/)
})

/** RE2, which the API server uses, knows no look-around and no back-references; classes and dots mean something else. */
test.each(rules.filter(([, rule]) => rule.includes('matches(')))(
  'the patterns in the %s rule %s match the same texts in RE2',
  (_path, rule) => {
    expect(rule).not.toMatch(/\(\?[=!<]|\\\\[1-9swdSWDb]|[^[]\.[*+{]/)
  },
)

test('no rule inside a list compares with oldSelf, because the old value cannot be found there', () => {
  expect(rules.filter(([path, rule]) => /\boldSelf\b/.test(rule) && /[\]}]/.test(path))).toEqual([])
})

test.each(kinds.map((kind) => [kind.kind, kind] as const))(
  'the columns of a %s lead to fields that exist',
  (_name, kind) => {
    const known = new Set(
      walk(kind.spec, '.spec')
        .concat(walk(kind.status, '.status'))
        .map(({ path }) => path),
    )
    for (const { jsonPath } of kind.columns) {
      const path = jsonPath.replace(/\[\?\(.*?\)\]/, '[]')
      expect(path === '.metadata.creationTimestamp' || known.has(path) ? '' : jsonPath).toBe('')
    }
  },
)

test.each(kinds.map((kind) => [kind.kind, kind] as const))(
  'the plural, singular and short name of a %s belong together',
  (_name, kind) => {
    const { metadata, spec } = crd(kind)
    expect(metadata.name).toBe(`${spec.names.plural}.${spec.group}`)
    expect(spec.names.singular).toBe(kind.kind.toLowerCase())
    expect(spec.versions[0]?.subresources).toEqual({ status: {} })
  },
)
