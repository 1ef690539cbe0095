import { eventually } from '../support/wait.ts'

/** A browser that follows links and sends forms, and runs no scripts. */
export type Browser = {
  /** Resolves to the page. */
  open(path: string): Promise<string>
  /** Presses the first button of the page whose text begins so, with these fields of its form changed. */
  send(button: string, fields: Readonly<Record<string, string>>): Promise<string>
  /** The same, also where the button cannot be pressed. */
  sendAnyway(button: string): Promise<string>
  /** Sends a form that is not on the page, with what each form of the page holds. */
  post(path: string): Promise<string>
  /** Opens the page again until it matches. */
  until(pattern: RegExp): Promise<void>
  /** As it was seen last. */
  page(): string
}

export const browserAt = (server: string): Browser => {
  const cookies = new Map<string, string>()
  let [page, at] = ['', '/']

  const request = async (path: string, init: RequestInit = {}): Promise<string> => {
    const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ')
    const answer = await fetch(server + path, { ...init, headers: { ...init.headers, cookie }, redirect: 'manual' })
    for (const set of answer.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(set) ?? []
      if (value === '') cookies.delete(name)
      else cookies.set(name, value)
    }
    page = await answer.text()
    if (init.method === undefined) at = path
    const location = answer.headers.get('location')
    return location === null ? page : request(location)
  }

  const submit = (action: string, body: URLSearchParams): Promise<string> =>
    request(action, { method: 'POST', body, headers: { 'sec-fetch-site': 'same-origin' } })

  return {
    open: (path) => request(path),
    sendAnyway(button) {
      const { action, values } = formWith(page.replaceAll(' disabled', ''), button)
      return submit(action, values)
    },
    post(path) {
      const [, form = ''] = /name="form" value="([^"]*)"/.exec(page) ?? []
      return submit(path, new URLSearchParams({ form }))
    },
    page: () => page,
    async send(button, fields) {
      const { action, values } = formWith(page, button)
      for (const [name, value] of Object.entries(fields)) values.set(name, value)
      return submit(action, values)
    },
    until: (pattern) => eventually(async () => pattern.test(await request(at))).then(() => undefined),
  }
}

/** Where a form goes, and what it holds when that button is pressed. */
const formWith = (page: string, button: string): { action: string; values: URLSearchParams } => {
  for (const [form] of page.matchAll(/<form[^>]*>.*?<\/form>/gs)) {
    const pressed = [...form.matchAll(/<button([^>]*)>([^<]*)</g)].find(([, , text]) => text?.startsWith(button))
    if (pressed === undefined) continue
    if (/ disabled/.test(pressed[1] ?? '')) throw new Error(`The button ${button} is disabled`)
    const values = new URLSearchParams()
    for (const [, input = ''] of form.matchAll(/<input([^>]*)>/g)) {
      if (!/type="checkbox"/.test(input)) values.append(attribute(input, 'name'), attribute(input, 'value'))
    }
    for (const [, name = '', option = ''] of form.matchAll(/<select name="([^"]*)"><option value="([^"]*)"/g)) {
      values.append(name, option)
    }
    const name = attribute(pressed[1] ?? '', 'name')
    if (name !== '') values.append(name, attribute(pressed[1] ?? '', 'value'))
    return { action: attribute(form, 'action'), values }
  }
  throw new Error(`There is no button ${button} on the page:\n${page}`)
}

const attribute = (element: string, name: string): string =>
  (new RegExp(` ${name}="([^"]*)"`).exec(element)?.[1] ?? '')
    .replaceAll('&quot;', '"')
    .replaceAll('&#39;', "'")
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&amp;', '&')
