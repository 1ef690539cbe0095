import { stringify } from 'yaml'
import { kindNamed, kinds } from '../api/kinds/kinds.ts'
import type { Kind } from '../api/resource.ts'
import { Failure } from './failure.ts'
import type { Remote } from './remote/remote.ts'
import { table } from './table.ts'

export type GetOptions = {
  readonly output: 'table' | 'wide' | 'json' | 'yaml'
  /** All of them when left out. */
  readonly namespace?: string
}

/**
 * What `kubectl get` would print: one resource where a name says which, else a list.
 *
 * @throws Failure where the kind is unknown, nothing has that name, or nothing answers
 */
export const get = async (
  remote: Remote,
  resource: string | undefined,
  nameApart: string | undefined,
  options: GetOptions,
): Promise<string> => {
  const { output, namespace } = options
  const [kindName, name = nameApart] = resource?.split('/', 2) ?? []
  const wanted = kindName === undefined || kindName === 'waybill' ? kinds : [kindOf(kindName)]
  const found = await Promise.all(wanted.map(async (kind) => ({ kind, resources: await remote.list(kind, namespace) })))
  const groups = found.map(({ kind, resources }) => ({
    kind,
    resources: name === undefined ? resources : resources.filter(({ metadata }) => metadata.name === name),
  }))
  const resources = groups.flatMap((group) => group.resources)
  if (name !== undefined && resources.length === 0) {
    const where = namespace === undefined ? 'in any namespace' : `in namespace ${namespace}`
    throw new Failure(`${wanted.map(({ plural }) => plural).join(', ')} "${name}" not found ${where}`)
  }
  if (output === 'json' || output === 'yaml') {
    const one = name !== undefined && resources.length === 1
    const document = one ? resources[0] : { apiVersion: 'v1', kind: 'List', metadata: {}, items: resources }
    return output === 'json' ? `${JSON.stringify(document, null, 2)}\n` : stringify(document, yamlOptions)
  }
  const tables = groups
    .filter((group) => group.resources.length > 0)
    .map((group) =>
      table(group.kind, group.resources, { wide: output === 'wide', named: wanted.length > 1, nowMs: Date.now() }),
    )
  return tables.join('\n')
}

const yamlOptions = { aliasDuplicateObjects: false, lineWidth: 0 }

const kindOf = (name: string): Kind => {
  const kind = kindNamed(name)
  if (kind) return kind
  const known = kinds.map(({ plural, shortName }) => `${plural} (${shortName})`).join(', ')
  throw new Failure(`unknown kind "${name}": choose one of ${known}`)
}
