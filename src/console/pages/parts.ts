import type { Condition } from '../../api/conditions.ts'
import { type Html, html, text } from './markup.ts'

export type Tone = 'good' | 'bad' | 'warn' | ''

/** A word for a state, with its colour: the colour says nothing that the word does not. */
export const state = (word: string, tone: Tone): Html => html`<span class="state ${tone}">${text(word, 40)}</span>`

export const conditionOf = (conditions: readonly Condition[] | undefined, type: string): Condition | undefined =>
  conditions?.find((condition) => condition.type === type)

/** Whether a condition holds that should. */
export const whether = (conditions: readonly Condition[] | undefined, type: string): Html => {
  const found = conditionOf(conditions, type)
  if (found === undefined) return html`<span class="none">–</span>`
  // As it was asked to be, and still not what somebody who looks for messages expects.
  if (found.reason === 'Suspended') return state('Suspended', 'warn')
  if (found.status === 'True') return state(type, 'good')
  return state(found.reason, found.status === 'Unknown' ? 'warn' : 'bad')
}

export type Fact = readonly [name: string, value: Html | string | number | undefined]

/** Names and values; what has no value is left out. */
export const facts = (rows: readonly Fact[]): Html =>
  html`<dl class="facts">${rows
    .filter(([, value]) => value !== undefined && value !== '')
    .map(
      ([name, value]) =>
        html`<dt>${name}</dt><dd>${typeof value === 'string' ? html`<bdi>${text(value, 1_000)}</bdi>` : value}</dd>`,
    )}</dl>`

/** The figures at the top of a page. */
export const lead = (rows: readonly (readonly [name: string, value: Html | string, isSmall?: boolean])[]): Html =>
  html`<dl class="lead">${rows.map(
    ([name, value, isSmall]) =>
      html`<div><dt>${name}</dt><dd${isSmall ? html` class="small"` : ''}>${value}</dd></div>`,
  )}</dl>`

export type Cell = { readonly label: string; readonly value: Html | string | number; readonly isNumber?: boolean }

/** A table that becomes a list of cards on a narrow screen. The first cell of a row names it. */
export const table = (rows: readonly (readonly Cell[])[], caption: string): Html => {
  const [first = []] = rows
  return html`<div class="scroll"><table class="cards" aria-label="${caption}"><thead><tr>${first.map(
    ({ label, isNumber }) => html`<th scope="col"${isNumber ? html` class="num"` : ''}>${label}</th>`,
  )}</tr></thead><tbody>${rows.map(
    ([name, ...rest]) =>
      html`<tr><th scope="row" data-label="${name?.label}">${name?.value}</th>${rest.map(
        ({ label, value, isNumber }) =>
          html`<td data-label="${label}"${isNumber ? html` class="num"` : ''}>${value}</td>`,
      )}</tr>`,
  )}</tbody></table></div>`
}
