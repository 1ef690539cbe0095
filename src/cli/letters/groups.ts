import { ago } from '../../api/age.ts'
import { subscription } from '../../api/kinds/subscription.ts'
import { short, visible, visibleJson } from '../../api/visible.ts'
import type { Remote } from '../remote/remote.ts'
import { aligned } from '../table.ts'
import { documentText } from './document-text.ts'
import type { Output } from './letters.ts'

export type GroupsOptions = {
  /** All of them when left out. */
  readonly namespace?: string
  readonly output: Output
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
export const groups = async (remote: Remote, { namespace, output }: GroupsOptions, nowMs: number): Promise<string> => {
  const found = (await remote.list(subscription, namespace))
    .map(({ metadata, status }) => ({
      subscription: `${metadata.namespace}/${metadata.name}`,
      deadLetters: ((status as { deadLetters?: DeadLetters } | undefined)?.deadLetters ?? {}) as DeadLetters,
    }))
    .filter(({ deadLetters }) => Number(deadLetters.count) > 0)
  const document = documentText(found, output)
  if (document !== undefined) return document
  if (output === 'jsonl') return found.map((each) => `${visibleJson(each)}\n`).join('')
  if (found.length === 0) return ''
  const most = output === 'wide' ? 400 : 80
  const heads = ['SUBSCRIPTION', 'COUNT', 'GROUP', 'REASON', 'STATUS', 'FIRST', 'LAST', 'TYPES', 'ERROR']
  const rows = found.flatMap(({ subscription: name, deadLetters }) => [
    [visible(name), text(deadLetters.count), '', '', '', ago(deadLetters.oldest, nowMs), '', '', ''],
    ...listOf(deadLetters.groups).map((each) => [
      '',
      text(each.count),
      text(each.group),
      text(each.reason),
      text(each.statusCode),
      ago(each.first, nowMs),
      ago(each.last, nowMs),
      Array.isArray(each.types) ? each.types.map((type) => text(type)).join() : '',
      text(each.error, most),
    ]),
  ])
  return aligned([heads, ...rows])
}

const listOf = (value: unknown): Group[] =>
  Array.isArray(value) ? value.filter((each): each is Group => typeof each === 'object' && each !== null) : []

const text = (value: unknown, most = 80): string =>
  typeof value === 'string' || typeof value === 'number' ? short(String(value), most) : ''
