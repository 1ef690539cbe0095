import { age } from '../../api/age.ts'
import { milliseconds } from '../../api/duration.ts'
import { isDuration } from '../../api/schema/fields.ts'
import { visible, visibleJson, visibleLines } from '../../api/visible.ts'
import type { Found, Listed } from '../../dispatcher/data/dead-letters.ts'
import { exits, Failure } from '../failure.ts'
import { aligned } from '../table.ts'
import { type DataClient, dataClient, type Named, type ServerOptions } from './client.ts'
import { letterText } from './letter-text.ts'

/** The options that select dead letters; all that are given must hold. */
export type FilterOptions = {
  readonly group?: readonly string[]
  readonly reason?: readonly string[]
  readonly status?: readonly string[]
  readonly type?: readonly string[]
  readonly since?: string
  readonly until?: string
  readonly limit?: string
}

export type ListOptions = ServerOptions & FilterOptions & { readonly output: 'table' | 'json' | 'jsonl' }

/** The dead letters of a subscription, the newest last; `note` says where these are not all. @throws Failure */
export const list = async (
  of: Named,
  options: ListOptions,
  nowMs: number,
): Promise<{ readonly text: string; readonly note: string | undefined }> => {
  const answer = await dataClient(options, of).get('', queryOf(options, nowMs))
  const { letters, complete, looked } = (await answer.json()) as Listed
  const note = complete
    ? undefined
    : `These are not all: there are more, or more than the ${looked} that were looked at; see --limit`
  if (options.output === 'json') return { text: `${visibleJson({ letters, complete, looked }, 2)}\n`, note }
  if (options.output === 'jsonl') return { text: letters.map((letter) => `${visibleJson(letter)}\n`).join(''), note }
  const heads = ['ID', 'GROUP', 'AGE', 'REASON', 'STATUS', 'ATTEMPTS', 'TYPE', 'EVENT', 'ERROR']
  const rows = letters.map((letter) => [
    letter.id,
    letter.group,
    letter.deadLettered === undefined ? '' : age((nowMs - Date.parse(letter.deadLettered)) / 1000),
    visible(letter.reason),
    String(letter.statusCode ?? ''),
    `${letter.attempts}${letter.replays > 0 ? ` (${letter.replays} replays)` : ''}`,
    short(letter.eventType ?? '', 32),
    short(letter.eventId ?? '', 40),
    short(letter.error, 80),
  ])
  return { text: rows.length === 0 ? '' : aligned([heads, ...rows]), note }
}

const short = (text: string, most: number): string => {
  const shown = visible(text)
  return shown.length > most ? `${shown.slice(0, most - 1)}…` : shown
}

export type ShowOptions = ServerOptions & { readonly body?: boolean; readonly output: 'text' | 'json' }

/** One dead letter, and its body where that is asked for. @throws Failure */
export const show = async (of: Named, id: string, options: ShowOptions): Promise<string> => {
  const client = dataClient(options, of)
  const path = `/${encodeURIComponent(id)}`
  const found = (await (await client.get(path)).json()) as Omit<Found, 'body'>
  const text = options.output === 'json' ? `${visibleJson(found, 2)}\n` : letterText(found)
  return options.body ? `${text}\n${await bodyText(client, path)}` : text
}

const bodyText = async (client: DataClient, path: string): Promise<string> => {
  const body = Buffer.from(await (await client.get(`${path}/body`)).arrayBuffer())
  const text = body.toString('utf8')
  const isText = Buffer.from(text).equals(body)
  return isText ? `${visibleLines(text)}\n` : `(not text, ${body.length} bytes in base64)\n${body.toString('base64')}\n`
}

/** The filter as the parameters of a query. @throws Failure */
export const queryOf = (options: FilterOptions, nowMs: number): URLSearchParams => {
  const query = new URLSearchParams()
  for (const name of ['group', 'reason', 'status', 'type'] as const) {
    for (const value of options[name] ?? []) query.append(name, value)
  }
  for (const name of ['since', 'until'] as const) {
    const text = options[name]
    if (text !== undefined) query.append(name, timeOf(name, text, nowMs))
  }
  if (options.limit !== undefined) query.append('limit', options.limit)
  return query
}

/** A time, or how long ago it was. */
const timeOf = (name: string, text: string, nowMs: number): string => {
  if (isDuration(text)) return new Date(nowMs - milliseconds(text)).toISOString()
  const time = Date.parse(text)
  if (!Number.isNaN(time)) return new Date(time).toISOString()
  const message = `--${name} must be a duration such as 2h, or a time such as 2026-01-31T08:00:00Z, found "${text}"`
  throw new Failure(message, { exitCode: exits.usage })
}
