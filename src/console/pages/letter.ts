import type { ResourceName } from '../../api/resource.ts'
import { visibleLines } from '../../api/visible.ts'
import type { ShownHeader, ShownLetter, ShownValue } from '../../delivery/letters/shown.ts'
import { timeline } from '../drawings/timeline.ts'
import type { FoundLetter, RevealedHeader } from '../port.ts'
import { checkForm, type May } from './groups.ts'
import { formToken, page, type Viewer } from './layout.ts'
import { type Html, html, number, text } from './markup.ts'
import { facts } from './parts.ts'
import { paths } from './paths.ts'
import { trailOf } from './subscription.ts'
import { moment } from './time.ts'

export type LetterOptions = {
  readonly viewer: Viewer
  readonly of: ResourceName
  readonly found: FoundLetter
  readonly may: May & { readonly body: boolean }
  /** Only where it was asked for. */
  readonly body?: Uint8Array | undefined
  readonly revealed?: readonly RevealedHeader[] | undefined
}

const mostOfBody = 6_144
const mostHeaders = 40
const mostOfValue = 300

/** One dead letter: why it is dead, what was tried, and what is in it as far as this user may see that. */
export const letterPage = (options: LetterOptions): Html => {
  const { viewer, of, found, may } = options
  const { letter, copies } = found
  const trail = [
    ...trailOf(of.namespace),
    [of.name, paths.subscription(of)],
    ['Dead letters', paths.letters(of)],
  ] as const
  return page({ title: `Dead letter ${letter.id}`, viewer, trail }, [
    html`<h1><span class="id">${letter.id}</span> <small>Dead letter</small></h1>
<p class="problem"><strong>${text(letter.reason, 64)}${letter.statusCode !== undefined && ` ${letter.statusCode}`}</strong> <bdi>${text(letter.error, 600)}</bdi></p>`,
    checkForm(of, new URLSearchParams({ id: letter.id }), viewer, may, 'this one') as Html,
    html`<h2>Attempts<span class="count">${number(letter.attempts)}</span></h2>`,
    attempts(letter),
    letter.redacted && html`<p class="note">The DeadLetterPolicy withholds some of it: see [redacted].</p>`,
    html`<h2>Event</h2>`,
    factsOf(letter, of, copies),
    html`<h2>Headers<span class="count">${number(letter.headers.length)}</span></h2>`,
    headerParts(options),
    html`<h2>Body</h2>`,
    bodyParts(options),
  ])
}

const attempts = (letter: ShownLetter): Html => {
  if (letter.lastAttempts.length === 0) return html`<p class="quiet">It does not say when they were.</p>`
  return timeline({
    ...letter,
    lastAttempts: letter.lastAttempts.map((each) => ({ ...each, result: text(each.result, 60) })),
  })
}

const factsOf = (letter: ShownLetter, of: ResourceName, copies: number): Html =>
  facts([
    ['Event id', letter.eventId],
    ['Type', letter.eventType],
    ['Problem', letter.problem],
    [
      'Group',
      html`<a class="id" href="${paths.letters(of, new URLSearchParams({ group: letter.group }))}">${letter.group}</a>`,
    ],
    ['Exchange', letter.exchange],
    ['Routing key', letter.routingKey],
    ['Message id', letter.messageId],
    ['Content type', letter.contentType],
    ['Size', `${number(letter.size)} bytes`],
    ['First attempt', moment(letter.firstAttempt)],
    ['Dead-lettered', moment(letter.deadLettered)],
    ['Replays', letter.replays === 0 ? undefined : letter.replays],
    ['Copies', copies > 1 ? `${copies}, from a crash` : undefined],
  ])

const headerParts = ({ viewer, of, found: { letter }, may, revealed }: LetterOptions): Html => {
  const { headers } = letter
  const shown = revealed?.map(({ name, value }) => [name, text(value, mostOfValue)] as const) ?? headers.map(asShown)
  const isMasked = headers.some((header) => 'masked' in header || 'table' in Object(header.value))
  const reveal =
    revealed === undefined && isMasked
      ? html`<form class="actions" method="post" action="${paths.letter(of, letter.id)}/headers">${formToken(viewer)}<button${!may.body && html` disabled title="Needs get on subscriptions/deadletterbodies"`}>Reveal masked values</button></form>`
      : html``
  if (shown.length === 0) return html`<p class="quiet">It has none.</p>`
  return html`<dl class="facts">${shown
    .slice(0, mostHeaders)
    .map(
      ([name, value]) => html`<dt><bdi>${text(name, 80)}</bdi></dt><dd><bdi>${value}</bdi></dd>`,
    )}</dl>${shown.length > mostHeaders && html`<p class="note">${number(shown.length - mostHeaders)} more are not shown.</p>`}${reveal}`
}

const asShown = (header: ShownHeader): readonly [string, Html | string] =>
  'masked' in header ? [header.name, html`<span class="quiet">masked</span>`] : [header.name, valueText(header.value)]

const valueText = (value: ShownValue): string =>
  text(typeof value === 'string' ? value : JSON.stringify(value), mostOfValue)

const bodyParts = ({ viewer, of, found: { letter }, may, body }: LetterOptions): Html => {
  const action = `${paths.letter(of, letter.id)}/body`
  if (!may.body) {
    return html`<p class="quiet">${number(letter.size)} bytes. To see them takes the right <code>get</code> on <code>subscriptions/deadletterbodies</code>.</p>`
  }
  const download = html`<form class="actions" method="post" action="${action}">${formToken(viewer)}${body === undefined && html`<button>Show ${number(letter.size)} bytes</button>`}<button name="download" value="yes">Download</button></form>`
  return body === undefined ? download : html`${bodyText(body)}${download}`
}

const bodyText = (body: Uint8Array): Html => {
  const shown = body.subarray(0, mostOfBody)
  // Of a character that is cut at the end, nothing is left.
  const decoded = new TextDecoder('utf-8', { ignoreBOM: true }).decode(shown, { stream: true })
  const isText = !decoded.includes('\ufffd') && !decoded.includes('\0')
  const cut = body.length > mostOfBody
  return html`<pre tabindex="0">${isText ? visibleLines(decoded) : hex(shown.subarray(0, 2_048))}</pre>${cut && html`<p class="note">These are the first bytes of ${number(body.length)}; download it for the rest.</p>`}${!isText && html`<p class="quiet">It is not text: these are its first bytes in hexadecimal.</p>`}`
}

const hex = (bytes: Uint8Array): string =>
  [...bytes].map((byte, at) => byte.toString(16).padStart(2, '0') + (at % 32 === 31 ? '\n' : ' ')).join('')
