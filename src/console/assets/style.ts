import { drawingsStyle } from '../drawings/style.ts'

/** The one style of all pages: colours are variables, so that light and dark differ in these alone. */
export const style = `${drawingsStyle}
:root {
  --page: #fbfbfa; --card: #fff; --line: #e3e2dd; --text: #23241f; --quiet: #62645b; --link: #0a5c66; --main: #0b6672;
  --on-main: #fff; --good: #1c6b3c; --good-page: #e5f3ea; --bad: #a3281d; --bad-page: #fbe9e6; --warn: #7a5000;
  --warn-page: #fbf1da; --soft: #f1f1ed; --focus: #0a7f8e;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #15171a; --card: #1c1f23; --line: #32363c; --text: #e6e6e1; --quiet: #a3a69d; --link: #7cd0d8;
    --main: #7cd0d8; --on-main: #0d2225; --good: #86d6a4; --good-page: #17301f; --bad: #ff9d90; --bad-page: #3b1c18;
    --warn: #f0c674; --warn-page: #352a12; --soft: #25292e; --focus: #8ee3ec;
  }
}
* { box-sizing: border-box }
html { -webkit-text-size-adjust: 100% }
body {
  margin: 0; background: var(--page); color: var(--text);
  font: 15px/1.5 system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', sans-serif;
}
a { color: var(--link); text-decoration-thickness: 1px; text-underline-offset: 3px }
a:hover { text-decoration-thickness: 2px }
:focus-visible { outline: 2px solid var(--focus); outline-offset: 2px; border-radius: 3px }
.skip { position: absolute; left: -999px }
.skip:focus { left: 8px; top: 8px; background: var(--card); padding: 4px 10px; z-index: 1 }
header {
  display: flex; flex-wrap: wrap; align-items: center; gap: 6px 22px; padding: 10px 24px;
  background: var(--card); border-bottom: 1px solid var(--line);
}
.brand { font-weight: 650; letter-spacing: .01em; color: var(--text); text-decoration: none }
.places { display: flex; flex-wrap: wrap; gap: 4px 18px }
.places a { color: var(--quiet); text-decoration: none; padding: 3px 0; border-bottom: 2px solid transparent }
.places a:hover { color: var(--text) }
.places a[aria-current] { color: var(--text); border-color: var(--main) }
.account { margin-left: auto; display: flex; align-items: center; gap: 10px; color: var(--quiet); font-size: 13px }
main { max-width: 1180px; margin: 0 auto; padding: 22px 24px 64px }
.trail { font-size: 13px; color: var(--quiet); display: flex; flex-wrap: wrap; gap: 8px; margin-bottom: 4px }
.trail span:last-child { display: none }
h1 { font-size: 22px; line-height: 1.3; font-weight: 620; margin: 4px 0 14px; overflow-wrap: anywhere }
h1 small { font-size: 15px; font-weight: 400; color: var(--quiet); margin-left: 8px }
h1 .id { font-size: .85em }
h2 { font-size: 16px; font-weight: 620; margin: 30px 0 8px }
h2 a { color: inherit; text-decoration: none }
h2 a:hover { text-decoration: underline }
h2 .count { color: var(--quiet); font-weight: 400; margin-left: 6px }
p { margin: 8px 0; max-width: 75ch }
.quiet, .none { color: var(--quiet) }
.none { opacity: .8 }
.lead { display: flex; flex-wrap: wrap; gap: 10px 34px; margin: 0 0 18px; padding: 0 }
.lead div { min-width: 84px }
.lead dt { color: var(--quiet); font-size: 13px }
.lead dd { margin: 0; font-size: 20px; font-variant-numeric: tabular-nums; overflow-wrap: anywhere }
.lead dd.small { font-size: 15px; padding-top: 4px }
.big { font-size: 20px; font-variant-numeric: tabular-nums; text-decoration: none }
.card { background: var(--card); border: 1px solid var(--line); border-radius: 8px; padding: 14px 18px; margin: 12px 0 }
table { width: 100%; border-collapse: collapse; background: var(--card); font-size: 14px }
.scroll { overflow-x: auto; border: 1px solid var(--line); border-radius: 8px; margin: 8px 0 }
th, td { text-align: left; vertical-align: top; padding: 8px 12px; border-top: 1px solid var(--line); overflow-wrap: break-word }
thead th { border-top: 0; color: var(--quiet); font-weight: 500; font-size: 13px; white-space: nowrap }
tbody th { font-weight: 500 }
.num { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap }
td time, td .state { white-space: nowrap }
tbody tr:hover { background: var(--soft) }
.state { display: inline-block; padding: 0 8px; border-radius: 10px; font-size: 13px; background: var(--soft) }
.state.good { color: var(--good); background: var(--good-page) }
.state.bad { color: var(--bad); background: var(--bad-page) }
.state.warn { color: var(--warn); background: var(--warn-page) }
.problem, .note { padding: 10px 14px; border-radius: 8px; max-width: none; overflow-wrap: anywhere }
.problem { background: var(--bad-page); color: var(--bad) }
.note { background: var(--warn-page); color: var(--warn) }
code, pre, .id { font-family: ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; font-size: 13px }
pre {
  background: var(--soft); border-radius: 6px; padding: 10px 12px; overflow: auto; max-height: 32em; margin: 8px 0;
  white-space: pre-wrap; overflow-wrap: anywhere; unicode-bidi: plaintext
}
bdi { overflow-wrap: anywhere }
dl.facts { display: grid; grid-template-columns: max-content minmax(0, 1fr); gap: 5px 20px; margin: 8px 0 }
dl.facts dt { color: var(--quiet) }
dl.facts dd { margin: 0; overflow-wrap: anywhere }
button, .button {
  font: inherit; font-size: 14px; color: var(--text); background: var(--card); border: 1px solid var(--line);
  border-radius: 6px; padding: 4px 12px; cursor: pointer; text-decoration: none; display: inline-block; white-space: nowrap
}
button:hover, .button:hover { border-color: var(--quiet) }
button.main { background: var(--main); border-color: var(--main); color: var(--on-main); font-weight: 550 }
button.danger { color: var(--bad) }
button.plain { border-color: transparent; background: none; color: var(--link); padding: 2px 6px }
button:disabled { opacity: .55; cursor: not-allowed }
input, select, textarea {
  font: inherit; font-size: 14px; color: var(--text); background: var(--page); border: 1px solid var(--line);
  border-radius: 6px; padding: 5px 8px; max-width: 100%
}
input[type=checkbox] { width: 16px; height: 16px; accent-color: var(--main) }
label { color: var(--quiet); font-size: 13px }
.filter, .actions { display: flex; flex-wrap: wrap; gap: 8px 14px; align-items: end; margin: 10px 0 }
.card > .actions:first-child { margin-top: 0; align-items: baseline }
.card > .actions:last-child { margin-bottom: 0 }
.bar { position: sticky; bottom: 0; background: var(--page); border-top: 1px solid var(--line); margin: 0; padding: 10px 0 }
.pick { width: 1% }
.filter label { display: grid; gap: 2px }
.filter input { width: 11em }
.actions form { display: contents }
.login { max-width: 30rem; margin: 6vh auto }
.login form { display: grid; gap: 8px; margin: 14px 0 20px }
.progress { height: 8px; border-radius: 4px; background: var(--soft); overflow: hidden; display: block; width: 100% }
.progress rect.done { fill: var(--good) }
.progress rect.failed { fill: var(--bad) }
figure { margin: 8px 0 }
figcaption { font-size: 13px }
details > summary { cursor: pointer; color: var(--link) }
@media (max-width: 720px) {
  header, main { padding-left: 14px; padding-right: 14px }
  .scroll { border: 0; background: none }
  table.cards thead { position: absolute; left: -999px }
  table.cards tr { display: block; background: var(--card); border: 1px solid var(--line); border-radius: 8px; margin: 8px 0; padding: 6px 0 }
  table.cards td, table.cards th { display: flex; gap: 12px; justify-content: space-between; border: 0; padding: 3px 12px; text-align: right; overflow-wrap: anywhere }
  table.cards [data-label]::before { content: attr(data-label); color: var(--quiet); font-weight: 400; flex: none }
  table.cards td.none-narrow { display: none }
  dl.facts { grid-template-columns: minmax(0, 1fr); gap: 0 }
  dl.facts dd { margin-bottom: 6px }
}
@media (prefers-reduced-motion: no-preference) { a, button { transition: border-color .12s, color .12s } }
`
