import type { Right } from '../port.ts'
import { page, type Viewer } from './layout.ts'
import { type Html, html, text } from './markup.ts'
import { state, table } from './parts.ts'
import { paths } from './paths.ts'

/** What the pages of the console need, and what it is for. */
export const rights: readonly (Pick<Right, 'verb' | 'resource'> & { readonly what: string })[] = [
  { what: 'See Subscriptions and the groups of their dead letters', verb: 'list', resource: 'subscriptions' },
  { what: 'See Brokers', verb: 'list', resource: 'brokers' },
  { what: 'See Topics and their unrouted events', verb: 'list', resource: 'topics' },
  { what: 'List dead letters', verb: 'list', resource: 'subscriptions/deadletters' },
  { what: 'See a dead letter and its headers', verb: 'get', resource: 'subscriptions/deadletters' },
  { what: 'See bodies and masked headers', verb: 'get', resource: 'subscriptions/deadletterbodies' },
  { what: 'See Replays', verb: 'list', resource: 'replays' },
  { what: 'Replay and restore', verb: 'create', resource: 'replays' },
  { what: 'Suspend and resume Replays', verb: 'patch', resource: 'replays' },
  { what: 'Cancel Replays', verb: 'delete', resource: 'replays' },
  { what: 'See Discards', verb: 'list', resource: 'discards' },
  { what: 'Discard', verb: 'create', resource: 'discards' },
  { what: 'Suspend and resume Discards', verb: 'patch', resource: 'discards' },
  { what: 'Cancel Discards', verb: 'delete', resource: 'discards' },
]

export type PermissionsOptions = {
  readonly viewer: Viewer
  /** All of them where it is left out. */
  readonly namespace: string | undefined
  /** For each of {@link rights}. */
  readonly may: readonly boolean[]
}

/** What this user may do, and the rule that lacks for the rest. */
export const permissionsPage = ({ viewer, namespace, may }: PermissionsOptions): Html =>
  page({ title: 'Your permissions', viewer, at: 'permissions' }, [
    html`<h1>Your permissions <small><bdi>${text(viewer.user, 200)}</bdi></small></h1>
<form class="filter" method="get" action="${paths.permissions}"><label>Namespace<input name="namespace" value="${text(namespace ?? '', 63)}" placeholder="all" pattern="[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?"></label><button>Show</button></form>
<p>You act with your own token alone, so this is what its user may do in ${namespace === undefined ? 'all namespaces' : html`the namespace <bdi>${text(namespace, 63)}</bdi>`}.</p>`,
    table(
      rights.map(({ what, verb, resource }, at) => [
        { label: 'To', value: what },
        { label: 'You', value: may[at] ? state('may', 'good') : state('may not', 'bad') },
        { label: 'Rule', value: html`<code>${verb}</code> on <code>${resource}</code>` },
      ]),
      'Permissions',
    ),
    lacking(may),
  ])

const lacking = (may: readonly boolean[]): Html => {
  const missing = rights.filter((_, at) => !may[at])
  if (missing.length === 0) return html``
  const rules = [...Map.groupBy(missing, ({ resource }) => resource)].map(
    ([resource, of]) =>
      `- apiGroups: [waybill.dev]\n  resources: [${resource}]\n  verbs: [${of.map(({ verb }) => verb).join(', ')}]`,
  )
  return html`<details><summary>The rules that lack</summary><pre tabindex="0">${rules.join('\n')}</pre></details>`
}
