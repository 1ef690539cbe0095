import { apiVersion, type Kind } from '../resource.ts'
import { explained, explainedKind } from '../schema/explained.ts'
import { isDurationSchema } from '../schema/fields.ts'
import type { Schema } from '../schema/schema.ts'

/** The field reference of all kinds as one Markdown page. */
export const reference = (kinds: readonly Kind[]): string =>
  [
    '# Field reference',
    '',
    `Generated from \`src/api\` by \`npm run generate\`. All kinds are \`${apiVersion}\` and namespaced.`,
    'kubectl and waybill refuse fields that are not listed here; for clients that do not request strict validation, the',
    'API server drops them.',
    ...kinds.flatMap(section),
    '',
  ].join('\n')

const section = (kind: Kind): string[] => [
  '',
  `## ${kind.kind} (\`${kind.shortName}\`)`,
  '',
  explainedKind(kind),
  '',
  '| field | type | default | meaning |',
  '| --- | --- | --- | --- |',
  row('spec', kind.spec, !!kind.spec.required?.length, explained(kind.spec)),
  ...rows(kind.spec, 'spec'),
  ...rows(kind.status, 'status'),
]

const rows = (schema: Schema, path: string): string[] => {
  if ('properties' in schema) {
    return Object.entries(schema.properties).flatMap(([name, property]) => {
      const required = schema.required?.includes(name) ?? false
      const meaning = explained(property, { holder: schema, name })
      return [row(`${path}.${name}`, property, required, meaning), ...rows(property, `${path}.${name}`)]
    })
  }
  if (schema.type === 'array' && schema.items.type === 'object' && !path.endsWith('conditions')) {
    return rows(schema.items, `${path}[]`)
  }
  return []
}

const row = (path: string, schema: Schema, required: boolean, meaning: string): string => {
  const given = 'default' in schema && schema.type !== 'object' ? `\`${JSON.stringify(schema.default)}\`` : ''
  return `| \`${path}\` | ${typeText(schema)} | ${required ? '(required)' : given} | ${meaning.replaceAll('|', '\\|')} |`
}

const typeText = (schema: Schema): string => {
  if ('enum' in schema && schema.enum) return schema.enum.join(' \\| ')
  if (schema.type === 'array') return `list of ${typeText(schema.items)}`
  if ('additionalProperties' in schema) return 'map'
  if (isDurationSchema(schema)) return 'duration'
  return schema.type
}
