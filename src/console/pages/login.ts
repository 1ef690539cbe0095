import { page } from './layout.ts'
import { type Html, html, text } from './markup.ts'
import { paths } from './paths.ts'

export type LoginOptions = {
  readonly howToLogIn: readonly string[]
  /** Where to go on, below the console. */
  readonly to: string
  readonly form: string
  readonly problem?: string | undefined
}

/** The page for logging in. */
export const loginPage = ({ howToLogIn, to, form, problem }: LoginOptions): Html =>
  page(
    { title: 'Log in' },
    html`<section class="login">
<h1>Log in</h1>
${problem && html`<p class="problem" role="alert">${text(problem, 600)}</p>`}
<form method="post" action="${paths.login}">
<input type="hidden" name="form" value="${form}">
<input type="hidden" name="to" value="${to}">
<label for="token">Token</label>
<input id="token" name="token" type="password" autocomplete="off" autocapitalize="off" spellcheck="false" required autofocus>
<button class="main">Log in</button>
</form>
<p>You act with this token alone: what it may not do, this page cannot do for you.</p>
${howToLogIn.map((line) => (line.startsWith('$ ') ? html`<pre tabindex="0">${text(line.slice(2), 600)}</pre>` : html`<p>${text(line, 600)}</p>`))}
</section>`,
  )
