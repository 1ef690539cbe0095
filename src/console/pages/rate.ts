import { hasEnded, type Job } from '../../api/job.ts'
import { type Replay, toOf } from '../../api/kinds/replay.ts'
import { formToken, page, type Viewer } from './layout.ts'
import { type Html, html, number, text } from './markup.ts'
import { paths } from './paths.ts'
import { trailOf } from './subscription.ts'

/** Whether it sends to a subscriber, so that it has a rate. */
const isPaced = (job: Job): job is Replay => job.kind === 'Replay' && toOf(job.spec) === 'Subscriber'

/** The rate of a job that has one, with a link to change it while it runs. */
export const rateOf = (job: Job, mayChange: boolean): Html | undefined => {
  if (!isPaced(job)) return undefined
  const { requests, per } = job.spec.rate
  const change = mayChange && !hasEnded(job) && html` <a href="${paths.rate(job.metadata)}">Change</a>`
  return html`${number(requests)} in ${per}${change}`
}

/** Asks for another rate; `undefined` of a job that sends nothing any more. It does not reload itself: what is typed would be gone. */
export const ratePage = (viewer: Viewer, job: Job): Html | undefined => {
  if (!isPaced(job) || hasEnded(job)) return undefined
  const { metadata, spec } = job
  const own = paths.job('replays', metadata)
  return page(
    { title: `Rate of ${metadata.name}`, viewer, trail: [...trailOf(metadata.namespace), [metadata.name, own]] },
    [
      html`<h1>Rate of <bdi>${text(metadata.name, 253)}</bdi></h1>
<form class="card" method="post" action="${own}/do">${formToken(viewer)}<label for="rate">So many messages at most in ${spec.rate.per}</label><input id="rate" name="rate" type="number" min="1" max="10000" required value="${spec.rate.requests}">
<div class="actions"><button class="main" name="do" value="rate">Change</button><a class="button" href="${own}">Leave it</a></div></form>`,
    ],
  )
}
