import { hasEnded, type Job } from '../../api/job.ts'
import { jobTable } from './job-parts.ts'
import { page, type Viewer } from './layout.ts'
import { type Html, html } from './markup.ts'

export type JobsOptions = { readonly viewer: Viewer; readonly nowMs: number; readonly jobs: readonly Job[] }

/** A page has so many. */
const most = 30

/** All Replays and Discards, the newest first. */
export const jobsPage = ({ viewer, nowMs, jobs }: JobsOptions): Html => {
  const running = jobs.filter((job) => !hasEnded(job))
  const ended = jobs.filter(hasEnded)
  const shown = ended.slice(0, Math.max(0, most - running.length))
  return page({ title: 'Replays and Discards', viewer, at: 'jobs' }, [
    html`<h1>Replays and Discards</h1>`,
    jobs.length === 0 &&
      html`<p class="quiet">There are none. They begin at a Subscription, with its dead letters.</p>`,
    running.length > 0 && [html`<h2>Running</h2>`, jobTable(running.slice(0, most), nowMs, 'Running')],
    shown.length > 0 && [html`<h2>Ended</h2>`, jobTable(shown, nowMs, 'Ended')],
    shown.length < ended.length && html`<p class="quiet">The latest ${shown.length} of ${ended.length} are shown.</p>`,
  ])
}
