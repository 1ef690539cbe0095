import { age } from '../../api/age.ts'
import { type Html, html, text } from './markup.ts'

/** How long ago, with the moment itself for those who point at it. */
export const ago = (time: string | undefined, nowMs: number): Html => {
  const ms = Date.parse(time ?? '')
  if (Number.isNaN(ms)) return html`<span class="none">–</span>`
  return html`<time datetime="${text(time, 40)}" title="${text(time, 40)}">${age((nowMs - ms) / 1000)}</time>`
}

/** A moment to the second, in UTC. */
export const moment = (time: string | undefined): Html => {
  const ms = Date.parse(time ?? '')
  if (Number.isNaN(ms)) return html`<span class="none">–</span>`
  const iso = new Date(ms).toISOString()
  return html`<time datetime="${iso}">${iso.slice(0, 10)} ${iso.slice(11, 19)}</time>`
}
