import type { ResourceName } from '../../api/resource.ts'

/** Where the console is, below whatever it is served at. */
export const base = '/console'

const joined = (...parts: readonly string[]): string => [base, ...parts.map(encodeURIComponent)].join('/')

export type JobPlural = 'replays' | 'discards'

/** The addresses of all pages: names and ids, and nothing of a message. */
export const paths = {
  overview: base,
  login: `${base}/login`,
  logout: `${base}/logout`,
  jobs: `${base}/jobs`,
  unrouted: `${base}/unrouted`,
  permissions: `${base}/permissions`,
  script: `${base}/assets/htmx.js`,
  style: `${base}/assets/style.css`,
  subscription: ({ namespace, name }: ResourceName): string => joined('subscriptions', namespace, name),
  letters: ({ namespace, name }: ResourceName, query?: URLSearchParams): string =>
    joined('subscriptions', namespace, name, 'deadletters') + (query?.size ? `?${query}` : ''),
  letter: ({ namespace, name }: ResourceName, id: string): string =>
    joined('subscriptions', namespace, name, 'deadletters', id),
  check: ({ namespace, name }: ResourceName): string => joined('subscriptions', namespace, name, 'check'),
  job: (plural: JobPlural, { namespace, name }: ResourceName): string => joined(plural, namespace, name),
  rate: ({ namespace, name }: ResourceName): string => joined('replays', namespace, name, 'rate'),
} as const

/** Nothing of a page is run, no style is written into it, and nothing of it is kept. */
export const scriptSettings = JSON.stringify({
  allowEval: false,
  allowScriptTags: false,
  includeIndicatorStyles: false,
  selfRequestsOnly: true,
  historyEnabled: false,
  historyCacheSize: 0,
})
