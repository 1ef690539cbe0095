import { ago } from '../../api/age.ts'
import type { ResourceName } from '../../api/resource.ts'
import { short, visible, visibleJson, visibleLines } from '../../api/visible.ts'
import type { Found, Listed } from '../../dispatcher/data/dead-letters.ts'
import type { Remote } from '../remote/remote.ts'
import { aligned } from '../table.ts'
import { causes, types } from './causes.ts'
import { type DataClient, dataClient } from './client.ts'
import { documentText } from './document-text.ts'
import { type FilterOptions, filterIn, queryOf } from './filter.ts'
import { letterText } from './letter-text.ts'

export type Output = 'table' | 'wide' | 'json' | 'jsonl' | 'yaml'
export type ListOptions = FilterOptions & {
  readonly output: Output
  /** Default: by group where all letters are meant, else each letter. */
  readonly by?: 'group' | 'type' | 'none'
}

type Printed = { readonly text: string; readonly note: string | undefined }

/** The server lists no more. */
const most = '10000'

/** The dead letters of a subscription, the newest last, or what they have in common; `note` says where these are not all. @throws Failure */
export const list = async (
  { ask }: Remote,
  of: ResourceName,
  options: ListOptions,
  nowMs: number,
): Promise<Printed> => {
  const { by = filterIn(options) === undefined ? 'group' : 'none', limit } = options
  const asked = by === 'none' || limit !== undefined ? options : { ...options, limit: most }
  const answer = await dataClient(ask, of).get('', queryOf(asked, nowMs))
  const { letters, complete, looked } = (await answer.json()) as Listed
  const note = complete ? undefined : notAll(letters.length, looked)
  if (by === 'none') return { text: await lettersText({ letters, complete, looked }, options, nowMs), note }
  const parts = by === 'group' ? causes(letters) : types(letters)
  if (options.output === 'jsonl') return { text: parts.map((each) => `${visibleJson(each.fields)}\n`).join(''), note }
  const document = { [`${by}s`]: parts.map(({ fields }) => fields), complete, looked }
  return { text: documentText(document, options.output) ?? table(parts.map(({ row }) => row(nowMs))), note }
}

const notAll = (shown: number, looked: number): string =>
  `These are not all: ${shown} of the ${looked} that were looked at; ask for more with --limit, or narrow down with --since or --group`

const lettersText = async (listed: Listed, { output }: ListOptions, nowMs: number): Promise<string> => {
  const { letters } = listed
  if (output === 'jsonl') return letters.map((letter) => `${visibleJson(letter)}\n`).join('')
  return documentText(listed, output) ?? table(letters.map((letter) => rowOf(letter, output === 'wide', nowMs)))
}

/** Rows as lines of columns under the names of their cells; empty where there are none. */
const table = (rows: readonly Readonly<Record<string, string>>[]): string =>
  rows[0] === undefined ? '' : aligned([Object.keys(rows[0]), ...rows.map((row) => Object.values(row))])

const rowOf = (letter: Listed['letters'][number], wide: boolean, nowMs: number): Readonly<Record<string, string>> => ({
  ID: letter.id,
  GROUP: letter.group,
  AGE: ago(letter.deadLettered, nowMs),
  REASON: visible(letter.reason),
  STATUS: String(letter.statusCode ?? ''),
  ATTEMPTS: `${letter.attempts}${letter.replays > 0 ? ` (+${letter.replays} replayed)` : ''}`,
  TYPE: short(letter.eventType ?? '', 32),
  EVENT: short(letter.eventId ?? '', 40),
  ...(wide
    ? {
        'DEAD-LETTERED': letter.deadLettered ?? '',
        SIZE: String(letter.size),
        EXCHANGE: short(letter.exchange, 40),
        'ROUTING-KEY': short(letter.routingKey, 40),
      }
    : {}),
  ERROR: short(letter.error, wide ? 400 : 80),
})

export type ShowOptions = { readonly body?: boolean; readonly output: 'text' | 'json' | 'yaml' }

/** One dead letter, and its body where that is asked for. @throws Failure */
export const show = async ({ ask }: Remote, of: ResourceName, id: string, options: ShowOptions): Promise<string> => {
  const client = dataClient(ask, of)
  const path = `/${encodeURIComponent(id)}`
  const found = (await (await client.get(path)).json()) as Omit<Found, 'body'>
  const { output } = options
  const text = output === 'text' ? letterText(found) : (documentText(found, output) ?? '')
  return options.body ? `${text}\n${await bodyText(client, path)}` : text
}

const bodyText = async (client: DataClient, path: string): Promise<string> => {
  const body = Buffer.from(await (await client.get(`${path}/body`)).arrayBuffer())
  const text = body.toString('utf8')
  const isText = Buffer.from(text).equals(body)
  return isText ? `${visibleLines(text)}\n` : `(not text, ${body.length} bytes in base64)\n${body.toString('base64')}\n`
}
