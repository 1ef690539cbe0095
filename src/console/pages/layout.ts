import { type Content, type Html, html, text } from './markup.ts'
import { paths, scriptSettings } from './paths.ts'

/** Who looks at a page, and what each of its forms holds. */
export type Viewer = { readonly user: string; readonly form: string }

export type PageOptions = {
  readonly title: string
  readonly viewer?: Viewer | undefined
  /** The place in the navigation. */
  readonly at?: 'overview' | 'jobs' | 'unrouted' | 'permissions'
  /** What leads here: links, the outermost first. */
  readonly trail?: readonly (readonly [text: string, href: string])[]
  /** A part of it is shown anew while it lasts: by a script, or as a whole after so many seconds. */
  readonly again?: number
}

const places = [
  ['overview', 'Overview', paths.overview],
  ['jobs', 'Replays and Discards', paths.jobs],
  ['unrouted', 'Unrouted', paths.unrouted],
  ['permissions', 'Your permissions', paths.permissions],
] as const

/** A whole page. */
export const page = ({ title, viewer, at, trail = [], again }: PageOptions, content: Content): Html =>
  html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${text(title, 80)} · Waybill</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="${paths.style}">
${
  again === undefined
    ? ''
    : html`<noscript><meta http-equiv="refresh" content="${again}"></noscript>
<meta name="htmx-config" content="${scriptSettings}">
<script src="${paths.script}" defer></script>`
}
</head>
<body>
<a class="skip" href="#main">Skip to content</a>
<header>
<a class="brand" href="${paths.overview}">Waybill</a>
${viewer && [navigation(at), account(viewer)]}
</header>
<main id="main">
${trail.length > 0 && html`<nav class="trail" aria-label="Where you are">${trail.map(([name, href]) => html`<a href="${href}"><bdi>${text(name, 60)}</bdi></a><span aria-hidden="true">/</span>`)}</nav>`}
${content}
</main>
</body>
</html>
`

const navigation = (at: PageOptions['at']): Html =>
  html`<nav class="places" aria-label="Pages">${places.map(
    ([place, name, href]) => html`<a href="${href}"${place === at ? html` aria-current="page"` : ''}>${name}</a>`,
  )}</nav>`

const account = (viewer: Viewer): Html =>
  html`<form class="account" method="post" action="${paths.logout}">${formToken(viewer)}<span title="${text(viewer.user)}"><bdi>${text(viewer.user, 40)}</bdi></span><button class="plain">Log out</button></form>`

/** What each form holds. */
export const formToken = ({ form }: Viewer): Html => html`<input type="hidden" name="form" value="${form}">`

/** Values that a form holds and does not show. */
export const hidden = (values: Iterable<readonly [string, string]>): Html[] =>
  [...values].map(([name, value]) => html`<input type="hidden" name="${name}" value="${value}">`)
