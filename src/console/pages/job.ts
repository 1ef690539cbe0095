import { stringify } from 'yaml'
import { hasEnded, type Job, sourceOf } from '../../api/job.ts'
import { toOf } from '../../api/kinds/replay.ts'
import { nounOf, outcomeOf, pageOf, pluralOf, progressBar, whatOf } from './job-parts.ts'
import { formToken, page, type Viewer } from './layout.ts'
import { type Html, html, number, text } from './markup.ts'
import { facts, lead } from './parts.ts'
import { paths } from './paths.ts'
import { rateOf } from './rate.ts'
import { trailOf } from './subscription.ts'
import { ago, moment } from './time.ts'

export type JobOptions = {
  readonly viewer: Viewer
  readonly nowMs: number
  readonly job: Job
  readonly may: { readonly create: boolean; readonly patch: boolean; readonly remove: boolean }
}

const againSeconds = 2

/** A Replay or a Discard; of one that only counted, what it would do, and the question whether to do it. */
export const jobPage = (options: JobOptions): Html => {
  const { viewer, job } = options
  const { metadata, spec } = job
  const from = sourceOf(job)
  const title = spec.dryRun ? `${whatOf(job)}: count first` : `${whatOf(job)} ${metadata.name}`
  const isRunning = !hasEnded(job)
  return page(
    {
      ...{ title, viewer, trail: [...trailOf(metadata.namespace), [from.name, pageOf(job)]] },
      ...(isRunning ? { again: againSeconds } : {}),
    },
    [
      html`<h1>${spec.dryRun ? title : html`<bdi>${text(metadata.name, 253)}</bdi> <small>${whatOf(job)}</small>`}</h1>`,
      jobProgress(options),
      html`<h2>What it takes</h2>`,
      facts([[from.kind, from.name], ...selectorFacts(spec.selector)]),
      html`<details><summary>Manifest</summary><pre tabindex="0">${yamlText(manifestOf(job))}</pre></details>`,
    ],
  )
}

/** The part that changes while it runs. */
export const jobProgress = (options: JobOptions): Html => {
  const { job } = options
  const isRunning = !hasEnded(job)
  const poll = isRunning
    ? html` hx-get="${paths.job(pluralOf(job), job.metadata)}/progress" hx-trigger="every ${againSeconds}s" hx-swap="outerHTML"`
    : ''
  return html`<section id="progress" aria-live="polite"${poll}>${job.spec.dryRun ? counted(options) : progress(options)}</section>`
}

const progress = ({ viewer, job, may, nowMs }: JobOptions): Html => {
  const { metadata, spec, status } = job
  const { word, message } = outcomeOf(job)
  const action = `${paths.job(pluralOf(job), metadata)}/do`
  const isRunning = !hasEnded(job)
  const { lastFailure } = status ?? {}
  return html`${lead([
    ['State', word, true],
    ['Matched', number(status?.matched)],
    [job.kind === 'Discard' ? 'Discarded' : 'Delivered', number(status?.delivered)],
    ['Failed again', number(status?.failed)],
    ['Left', number(status?.left)],
  ])}${progressBar(job)}<p><bdi>${text(message, 600)}</bdi></p>
<form class="actions" method="post" action="${action}">${formToken(viewer)}${isRunning && (spec.suspend ? button('resume', 'Resume', may.patch) : button('suspend', 'Suspend', may.patch))}${button('cancel', isRunning ? 'Cancel' : 'Remove', may.remove)}</form>
${
  lastFailure &&
  html`<h2>Last failure</h2>${facts([
    ['When', moment(lastFailure.time)],
    ['Status', lastFailure.statusCode],
    ['Why', lastFailure.message],
  ])}`
}
${facts([
  ['Asked for by', spec.requestedBy],
  ['Reason', 'reason' in spec ? spec.reason : undefined],
  ['Begun', status?.startTime && html`${ago(status.startTime, nowMs)} ago`],
  ['Ended', status?.completionTime && html`${ago(status.completionTime, nowMs)} ago`],
  ['Sends at most', rateOf(job, may.patch)],
  ['Takes nothing after', status?.cutoff && moment(status.cutoff)],
])}`
}

const button = (what: string, word: string, may: boolean): Html =>
  html`<button id="${what}" name="do" value="${what}"${what === 'cancel' && html` class="danger"`}${!may && html` disabled title="You may not do this here"`}>${word}</button>`

const counted = ({ viewer, job, may }: JobOptions): Html => {
  const { metadata, status } = job
  const { word, message } = outcomeOf(job)
  if (!hasEnded(job))
    return html`${lead([['State', word, true]])}<p>${text(message, 600)}</p><p class="quiet">Counting. Nothing is taken.</p>`
  const matched = status?.matched ?? 0
  if (matched === 0) return html`<p class="note">Nothing matches: there is nothing to do.</p>`
  const action = `${paths.job(pluralOf(job), metadata)}/confirm`
  return html`${lead([
    ['Match', number(matched)],
    ['Counted at', moment(status?.cutoff), true],
  ])}<p>${consequenceOf(job, matched)} What is dead-lettered after the count is left alone.</p>
<form class="card" method="post" action="${action}">${formToken(viewer)}<input type="hidden" name="cutoff" value="${status?.cutoff}"><input type="hidden" name="count" value="${matched}">
${job.kind === 'Discard' ? discardFields : toOf(job.spec) === 'Subscriber' ? replayFields(matched) : ''}
<div class="actions"><button class="main"${!may.create && html` disabled`}>${whatOf(job)} ${number(matched)}</button><a class="button" href="${pageOf(job)}">Do nothing</a></div></form>`
}

const consequenceOf = (job: Job, matched: number): string => {
  const them = `${number(matched)} ${nounOf(job)}${matched === 1 ? '' : 's'}`
  if (job.kind === 'Discard')
    return `${them} would be moved to waybill.discarded, and dropped there after seven days, or when the DeadLetterPolicy says.`
  const to = toOf(job.spec)
  if (to === 'DeadLetters') return `${them} that were discarded would be where they were again.`
  if (to === 'Topic') return `${them} would go to each subscription that wants them now.`
  if (to === 'Queue') return `${them} would be put into a queue: see the manifest.`
  return `${them} would be sent to the subscriber once more, one attempt each.`
}

const discardFields = html`<label for="why">Why nobody wants them; it is written on each</label><input id="why" name="why" required maxlength="256" size="60">`

const replayFields = (matched: number): Html =>
  html`<div class="filter"><label>Where to<select name="to"><option value="Subscriber">The subscriber at once</option><option value="Queue">Its queue, with retries</option></select></label><label>Try so many first<input name="canary" type="number" min="0" max="100" value="${Math.min(3, matched - 1)}"></label><label>Per second at most<input name="rate" type="number" min="1" max="10000" value="20"></label><label>Stop when % fail<input name="abort" type="number" min="1" max="100" value="20"></label></div>`

const selectorFacts = (selector: Job['spec']['selector']) =>
  Object.entries(selector)
    .filter(([name, value]) => name !== 'all' || value === true)
    .map(([name, value]) => [name, name === 'all' ? 'every dead letter' : valueText(value)] as const)

const valueText = (value: unknown): string => {
  if (Array.isArray(value))
    return value.length > 20 ? `${value.slice(0, 20).join(', ')} and ${value.length - 20} more` : value.join(', ')
  return typeof value === 'object' ? JSON.stringify(value) : String(value)
}

const manifestOf = ({ apiVersion, kind, metadata: { name, namespace }, spec }: Job): string =>
  stringify({ apiVersion, kind, metadata: { name, namespace }, spec }, { lineWidth: 0, aliasDuplicateObjects: false })

/** Lines stay. */
const yamlText = (lines: string): string =>
  lines
    .split('\n')
    .map((line) => text(line, 2_000))
    .join('\n')
    .slice(0, 12_000)
