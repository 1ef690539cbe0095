import { age } from '../../api/age.ts'
import { subscription } from '../../api/kinds/subscription.ts'
import { visible, visibleJson } from '../../api/visible.ts'
import { fetchList } from '../get.ts'
import { aligned } from '../table.ts'

export type GroupsOptions = {
  /** Where the resources are served. */
  readonly statusServer: string
  /** All of them when left out. */
  readonly namespace?: string
  readonly output: 'table' | 'json' | 'jsonl'
}

/** As a status may hold it; everything is checked, because it comes from another process, maybe of another version. */
type Group = {
  readonly group?: unknown
  readonly reason?: unknown
  readonly statusCode?: unknown
  readonly error?: unknown
  readonly types?: unknown
  readonly count?: unknown
  readonly first?: unknown
  readonly last?: unknown
}

type DeadLetters = { readonly count?: unknown; readonly oldest?: unknown; readonly groups?: unknown }

/** How many dead letters each subscription has, and their groups where its status has them. @throws Failure */
export const groups = async ({ statusServer, namespace, output }: GroupsOptions, nowMs: number): Promise<string> => {
  const found = (await fetchList(statusServer, subscription, namespace))
    .map(({ metadata, status }) => ({
      subscription: `${metadata.namespace}/${metadata.name}`,
      deadLetters: ((status as { deadLetters?: DeadLetters } | undefined)?.deadLetters ?? {}) as DeadLetters,
    }))
    .filter(({ deadLetters }) => Number(deadLetters.count) > 0)
  if (output === 'json') return `${visibleJson(found, 2)}\n`
  if (output === 'jsonl') return found.map((each) => `${visibleJson(each)}\n`).join('')
  if (found.length === 0) return ''
  const heads = ['SUBSCRIPTION', 'COUNT', 'GROUP', 'REASON', 'STATUS', 'FIRST', 'LAST', 'TYPES', 'ERROR']
  const ago = (time: unknown): string => {
    const ms = Date.parse(String(time))
    return Number.isNaN(ms) ? '' : age((nowMs - ms) / 1000)
  }
  const rows = found.flatMap(({ subscription: name, deadLetters }) => [
    [name, text(deadLetters.count), '', '', '', ago(deadLetters.oldest), '', '', ''],
    ...listOf(deadLetters.groups).map((each) => [
      '',
      text(each.count),
      text(each.group),
      text(each.reason),
      text(each.statusCode),
      ago(each.first),
      ago(each.last),
      typesText(each.types),
      text(each.error),
    ]),
  ])
  return aligned([heads, ...rows])
}

const listOf = (value: unknown): Group[] =>
  Array.isArray(value) ? value.filter((each): each is Group => typeof each === 'object' && each !== null) : []

const text = (value: unknown): string => {
  if (typeof value !== 'string' && typeof value !== 'number') return ''
  const shown = visible(String(value))
  return shown.length > 80 ? `${shown.slice(0, 79)}…` : shown
}

/** A list of names, or of objects with a name and a count, or counts by name. */
const typesText = (types: unknown): string => {
  if (!Array.isArray(types))
    return typeof types === 'object' && types !== null ? Object.keys(types).map(text).join() : ''
  return types.map((each) => text(typeof each === 'object' && each !== null ? Object.values(each)[0] : each)).join()
}
