import { type PageOptions, page, type Viewer } from './layout.ts'
import { type Html, html } from './markup.ts'
import { paths } from './paths.ts'

const asked = {
  overview: ['Overview', 'Subscriptions', paths.overview],
  jobs: ['Replays and Discards', 'Replays and Discards', paths.jobs],
  unrouted: ['Unrouted and orphaned', 'Topics and Brokers', paths.unrouted],
} as const

/** What somebody sees who may not list what is in all namespaces. */
export const whichNamespacePage = (viewer: Viewer, at: keyof typeof asked & PageOptions['at']): Html => {
  const [title, what, path] = asked[at]
  return page(
    { title, viewer, at },
    html`<h1>${title}</h1>
<p>You may not list the ${what} of all namespaces. Which one?</p>
<form class="filter" method="get" action="${path}">
<label>Namespace<input name="namespace" required pattern="[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?" autofocus></label>
<button class="main">Show</button>
</form>`,
  )
}
