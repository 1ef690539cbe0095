import { type Document, LineCounter, parseAllDocuments } from 'yaml'
import { kinds } from '../../api/kinds/kinds.ts'
import { validate } from '../../api/kinds/validate.ts'
import { idFrom, type Kind, type Resource } from '../../api/resource.ts'
import type { Problem } from '../../api/schema/problem.ts'
import type { SecretData } from '../store.ts'
import { classify } from './classify.ts'
import type { Finding } from './finding.ts'
import { type Identity, identify, type Manifest, unknownFields } from './identity.ts'
import { type LineOf, lineFinder } from './line-finder.ts'
import { decodeSecret } from './secret.ts'

/** One manifest with a valid identity. */
export type Item = {
  /** `Kind/namespace/name`. */
  readonly id: string
  readonly identity: Identity
  readonly file: string
  readonly lineOf: LineOf
  readonly content: Content
}

/** What a manifest holds, once it was checked. */
export type Content =
  | { readonly is: 'resource'; readonly kind: Kind; readonly spec: Resource['spec'] }
  | { readonly is: 'secret'; readonly data: SecretData }
  /** A Namespace, of which the labels in its metadata matter alone. */
  | { readonly is: 'namespace' }
  | { readonly is: 'refused'; readonly problems: readonly Problem[] }

/** What one file holds. */
export type Parsed = {
  readonly items: readonly Item[]
  readonly findings: readonly Finding[]
  /** Manifests of other kinds of Kubernetes. */
  readonly skipped: readonly Finding[]
  /** Whether all that is in it could be read, so that it defines nothing else. */
  readonly isWhole: boolean
}

/** Reads the manifests of one file: several documents, Lists, resources of Waybill, Secrets and Namespaces. */
export const parse = (file: string, text: string): Parsed => {
  const items: Item[] = []
  const findings: Finding[] = []
  const skipped: Finding[] = []
  let isWhole = true
  const find = (line: number, problem: Problem, resource?: string): void => {
    findings.push({ file, line, problem, ...(resource === undefined ? {} : { resource }) })
  }

  const take = (document: unknown, lineOf: LineOf): void => {
    const classified = classify(document)
    if (classified.is === 'problem') find(lineOf(classified.problem.field), classified.problem)
    else if (classified.is === 'foreign') skipped.push({ file, line: lineOf(''), problem: classified.problem })
    else if (classified.is === 'list') {
      for (const [index, item] of classified.items.entries()) {
        take(item, (field) => lineOf(field === '' ? `items[${index}]` : `items[${index}].${field}`))
      }
    } else {
      const { kind, manifest } = classified
      const identity = identify(kind, manifest)
      if (!('name' in identity)) {
        for (const problem of identity) find(lineOf(problem.field), problem, kind)
        return
      }
      const id = idFrom(kind, identity.namespace, identity.name)
      const content = contentOf(kind, manifest)
      if (content.is === 'refused') for (const problem of content.problems) find(lineOf(problem.field), problem, id)
      items.push({ id, identity, file, lineOf, content })
    }
  }

  const lines = new LineCounter()
  const options = { lineCounter: lines, merge: true, prettyErrors: false, logLevel: 'silent' } as const
  for (const document of parseAllDocuments(text, options)) {
    const fault = [...document.errors, ...document.warnings][0]
    const read = fault === undefined ? toValue(document) : { fault: fault.message }
    const start = fault?.pos[0] ?? document.contents?.range?.[0] ?? 0
    if ('fault' in read) {
      isWhole = false
      find(lines.linePos(start).line, syntax(read.fault))
    } else if (document.contents && read.value !== null)
      take(read.value, lineFinder(document.contents, document, lines))
  }
  return { items, findings, skipped, isWhole }
}

/** The parser quotes the text after a colon or in quotes, which may be a password. */
const syntax = (message: string): Problem => ({
  field: '',
  message: `is not valid YAML: ${(message.split(/[:"\\]/)[0] ?? '').trim()}`,
})

const toValue = (document: Document): { readonly value: unknown } | { readonly fault: string } => {
  try {
    const value: unknown = document.toJS()
    // Aliases can form a circle, which no later step expects.
    JSON.stringify(value)
    return { value }
  } catch (error) {
    return { fault: error instanceof ReferenceError ? error.message : 'Aliases and merges must not form a circle' }
  }
}

const contentOf = (name: string, manifest: Manifest): Content => {
  const kind = kinds.find((known) => known.kind === name)
  if (name === 'Namespace') return { is: 'namespace' }
  if (kind === undefined) {
    const read = decodeSecret(manifest)
    return 'problems' in read ? { is: 'refused', problems: read.problems } : { is: 'secret', data: read.data }
  }
  const unknown = unknownFields('', manifest, ['apiVersion', 'kind', 'metadata', 'spec'], ['status'])
  const validated = validate(kind, manifest)
  const problems = 'problems' in validated ? [...unknown, ...validated.problems] : unknown
  return problems.length > 0 || 'problems' in validated
    ? { is: 'refused', problems }
    : { is: 'resource', kind, spec: validated.spec as Resource['spec'] }
}
