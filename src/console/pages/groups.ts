import type { Subscription } from '../../api/kinds/subscription.ts'
import type { ResourceName } from '../../api/resource.ts'
import { formToken, hidden, type Viewer } from './layout.ts'
import { type Html, html, number, text } from './markup.ts'
import { state } from './parts.ts'
import { paths } from './paths.ts'
import { ago } from './time.ts'

export type May = { readonly replay: boolean; readonly discard: boolean }
type DeadLetters = NonNullable<NonNullable<Subscription['status']>['deadLetters']>
type Group = NonNullable<DeadLetters['groups']>[number]

/** The dead letters of a subscription by their cause, and what can be done about each. */
export const groupCards = (of: ResourceName, found: DeadLetters, options: GroupsOptions): Html => {
  const { groups = [], others = 0, complete = true, scanned } = found
  return html`${groups.map((group) => groupCard(of, group, options))}
${others > 0 && html`<p class="quiet">${number(others)} are in groups that are not listed.</p>`}
${complete === false && html`<p class="note">These groups are not those of all dead letters: ${number(scanned)} were looked at.</p>`}`
}

export type GroupsOptions = { readonly viewer: Viewer; readonly may: May; readonly nowMs: number }

const groupCard = (of: ResourceName, group: Group, { viewer, may, nowMs }: GroupsOptions): Html => {
  const filter = new URLSearchParams({ group: group.group })
  return html`<article class="card">
<div class="actions"><a class="big" href="${paths.letters(of, filter)}">${number(group.count)}</a> ${state(cause(group), 'bad')} <span class="quiet">first ${ago(group.first, nowMs)} ago, last ${ago(group.last, nowMs)} ago${(group.replayed ?? 0) > 0 && html` · ${number(group.replayed)} replayed before`} · <span class="id">${group.group}</span></span></div>
<p><bdi>${text(group.error, 256)}</bdi></p>
${(group.types ?? []).length > 0 && html`<p class="quiet">Types: ${listed(group.types ?? [], (type) => html`<bdi>${text(type, 128)}</bdi>`)}</p>`}
${(group.samples ?? []).length > 0 && html`<p class="quiet">Some of them: ${listed(group.samples ?? [], (id) => html`<a class="id" href="${paths.letter(of, id)}">${text(id, 16)}</a>`)}</p>`}
${checkForm(of, filter, viewer, may, 'group', group.group)}
</article>`
}

const cause = ({ reason, statusCode }: Group): string => (statusCode === undefined ? reason : `${reason} ${statusCode}`)

const listed = (values: readonly string[], show: (value: string) => Html): Html[] =>
  values.map((value, at) => html`${at > 0 && ', '}${show(value)}`)

/** Buttons that count first what they would do; `which` is part of their names for those who do not see where they are. */
export const checkForm = (
  of: ResourceName,
  filter: URLSearchParams,
  viewer: Viewer,
  may: May,
  what: string,
  which?: string,
): Html => {
  const button = (action: 'replay' | 'discard', word: string, mayDo: boolean): Html => {
    const tone = action === 'discard' && html` class="danger"`
    const name = which !== undefined && html` aria-label="${word} ${what} ${which} …"`
    const disabled = !mayDo && html` disabled title="You may not create ${word}s here"`
    return html`<button${tone} name="do" value="${action}"${name}${disabled}>${word} ${what} …</button>`
  }
  return html`<form class="actions" method="post" action="${paths.check(of)}">${formToken(viewer)}${hidden(filter)}${button('replay', 'Replay', may.replay)}${button('discard', 'Discard', may.discard)}</form>`
}
