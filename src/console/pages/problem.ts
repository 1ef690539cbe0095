import { page, type Viewer } from './layout.ts'
import { type Html, html, text } from './markup.ts'

const titles: Readonly<Record<number, string>> = {
  400: 'That is not valid',
  401: 'Log in again',
  403: 'Not permitted',
  404: 'Not found',
  405: 'Not done',
  409: 'Not now',
  413: 'Too long',
  415: 'Not accepted',
  421: 'Not here',
  422: 'That is not valid',
  503: 'No answer',
}

/** Why there is nothing else to see. */
export const problemPage = (code: number, message: string, viewer?: Viewer): Html => {
  const title = titles[code] ?? 'That did not work'
  return page(
    { title, viewer },
    html`<h1>${title}</h1>
<p class="problem" role="alert">${text(message, 2_000)}</p>`,
  )
}
