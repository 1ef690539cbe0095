import type { Command } from 'commander'
import { kindNamed, kinds } from '../../api/kinds/kinds.ts'
import { namespaceOf } from '../commands/dead-letter-options.ts'
import { withRemote } from '../remote/open.ts'
import { type Candidate, type Next, nextOf } from './candidates.ts'

/** Nobody waits longer for a key. */
const mostMs = 1_000

/** What kubectl and the scripts read: the shell adds no file names, or may. */
const directives = { noFiles: ':4', files: ':0' } as const

/**
 * What may come next on a command line, one candidate a line with its description behind a tab; the last line says whether
 * files are meant too. This is what kubectl expects of a plugin.
 * https://kubernetes.io/docs/tasks/extend-kubectl/kubectl-plugins/
 */
export const answer = async (program: Command, words: readonly string[]): Promise<string> => {
  const next = nextOf(program, words)
  const current = words.at(-1) ?? ''
  const found = [...next.candidates, ...(next.names ? await namesOf(next, current) : [])]
  const lines = found.map(({ value, description }) => (description ? `${value}\t${oneLine(description)}` : value))
  return [...lines, next.files ? directives.files : directives.noFiles, ''].join('\n')
}

const oneLine = (text: string): string => text.replace(/\s+/g, ' ')

const namesOf = async (next: Next, current: string): Promise<Candidate[]> => {
  const of = next.names?.of ?? ''
  const found = of === 'kind' ? kinds.map(({ singular }) => singular) : await namesFrom(of, next.options)
  return found.filter((name) => name.startsWith(current)).map((value) => ({ value, description: '' }))
}

/** From the server that the command would ask; none where that does not answer at once. */
const namesFrom = async (kindName: string, options: Next['options']): Promise<string[]> => {
  const kind = kindNamed(kindName)
  if (kind === undefined) return []
  const asked = withRemote(options, async (remote) => {
    const namespace = namespaceOf(options, remote)
    const found = await remote.list(kind, namespace)
    return found.map(({ metadata }) =>
      namespace === undefined && kindName === 'subscription' ? `${metadata.namespace}/${metadata.name}` : metadata.name,
    )
  }).catch(() => [])
  const late = new Promise<string[]>((resolve) => setTimeout(resolve, mostMs, []).unref())
  return Promise.race([asked, late])
}
