import type { ResourceName } from '../../api/resource.ts'
import type { ShownLetter } from '../../delivery/letters/shown.ts'
import type { Listed } from '../port.ts'
import type { May } from './groups.ts'
import { formToken, hidden, page, type Viewer } from './layout.ts'
import { type Html, html, number, text } from './markup.ts'
import { paths } from './paths.ts'
import { trailOf } from './subscription.ts'
import { ago } from './time.ts'

export type LettersOptions = {
  readonly viewer: Viewer
  readonly nowMs: number
  readonly of: ResourceName
  readonly filter: URLSearchParams
  /** Those of the parts before too, and one more where there is a next part. */
  readonly listed: Listed
  /** From 1. */
  readonly part: number
  /** How many dead letters its status counts, of any kind. */
  readonly about: number | undefined
  readonly may: May
}

/** A page has so many letters, so that it stays small. */
export const lettersOnPage = 32

/** The dead letters of a subscription that its address asks for. */
export const lettersPage = (options: LettersOptions): Html => {
  const { viewer, of, filter, listed, part, about } = options
  const shown = listed.letters.slice((part - 1) * lettersOnPage, part * lettersOnPage)
  const hasNext = listed.letters.length > part * lettersOnPage
  const trail = [...trailOf(of.namespace), [of.name, paths.subscription(of)]] as const
  const from = (part - 1) * lettersOnPage
  const range = shown.length === 0 ? '' : `${number(from + 1)} to ${number(from + shown.length)}`
  return page({ title: `Dead letters of ${of.name}`, viewer, trail }, [
    html`<h1>Dead letters <small>${range}${about !== undefined && ` of about ${number(about)}`}${filter.size > 0 && ', filtered'}</small></h1>`,
    filterForm(of, filter),
    !hasNext &&
      !listed.complete &&
      html`<p class="note">These are not all: the first ${number(listed.looked)} messages of the queue were looked at.</p>`,
    shown.length === 0
      ? html`<p class="quiet">No dead letters${filter.size > 0 && ' match'}.</p>`
      : letterForm(shown, options),
    pager(of, filter, part, hasNext),
  ])
}

const fields = [
  ['group', 'Group', 'k7f3q2mzab'],
  ['reason', 'Reason', 'Exhausted'],
  ['status', 'Status', '503 or 5xx'],
  ['type', 'Type', ''],
  ['since', 'Since', '2h, or a time'],
  ['until', 'Until', ''],
] as const

const filterForm = (of: ResourceName, filter: URLSearchParams): Html =>
  html`<form class="filter" method="get" action="${paths.letters(of)}" role="search">${fields.map(
    ([name, label, example]) =>
      html`<label>${label}<input name="${name}" value="${filter.get(name)}" placeholder="${example}" autocomplete="off" spellcheck="false"></label>`,
  )}<button>Filter</button>${filter.size > 0 && html`<a class="button" href="${paths.letters(of)}">All</a>`}</form>`

const letterForm = (shown: readonly ShownLetter[], options: LettersOptions): Html => {
  const { viewer, of, filter, may } = options
  const copies = Map.groupBy(options.listed.letters, ({ id }) => id)
  return html`<form method="post" action="${paths.check(of)}">${formToken(viewer)}${hidden(filter)}
<div class="scroll"><table class="cards" aria-label="Dead letters"><thead><tr><th scope="col" class="pick"><span class="skip">Select</span></th><th scope="col">Letter</th><th scope="col">Age</th><th scope="col">Reason</th><th scope="col">Event</th><th scope="col">Error</th></tr></thead><tbody>${shown.map(
    (letter) => letterRow(letter, copies.get(letter.id)?.length ?? 1, options),
  )}</tbody></table></div>
<div class="actions bar">${action('replay', 'Replay', may.replay)}${action('discard', 'Discard', may.discard)}</div>
</form>`
}

const action = (what: 'replay' | 'discard', word: string, may: boolean): Html => {
  const disabled = !may && html` disabled title="You may not create ${word}s here"`
  const tone = what === 'discard' && html` class="danger"`
  return html`<button${tone} name="do" value="${what} picked"${disabled}>${word} selected …</button><button${tone} name="do" value="${what}"${disabled}>${word} all matching …</button>`
}

const letterRow = (letter: ShownLetter, copies: number, { of, nowMs }: LettersOptions): Html =>
  html`<tr><td data-label="Select"><input type="checkbox" name="pick" value="${letter.id}" aria-label="Select ${letter.id}"></td><th scope="row" data-label="Letter"><a class="id" href="${paths.letter(of, letter.id)}">${letter.id}</a>${letter.replays > 0 && html` <span class="quiet" title="Replayed ${letter.replays} times">↻${letter.replays}</span>`}${copies > 1 && html` <span class="quiet" title="${copies} copies, from a crash">×${copies}</span>`}</th><td data-label="Age">${ago(letter.deadLettered, nowMs)}</td><td data-label="Reason">${text(letter.reason, 24)} ${letter.statusCode}</td><td data-label="Event"><bdi>${text(letter.eventType ?? letter.routingKey, 40)}</bdi></td><td data-label="Error"><bdi>${text(letter.error, 100)}</bdi></td></tr>`

const pager = (of: ResourceName, filter: URLSearchParams, part: number, hasNext: boolean): Html => {
  if (part === 1 && !hasNext) return html``
  const to = (wanted: number): string => {
    const query = new URLSearchParams(filter)
    if (wanted > 1) query.set('part', String(wanted))
    return paths.letters(of, query)
  }
  return html`<nav class="actions" aria-label="Parts of the list">${part > 1 && html`<a class="button" rel="prev" href="${to(part - 1)}">Older</a>`}${hasNext && html`<a class="button" rel="next" href="${to(part + 1)}">Newer</a>`}</nav>`
}
