import { html as template } from 'hono/html'
import { short } from '../../api/visible.ts'

/** A piece of a page. Whatever is put into a template is escaped, unless it is one itself. */
export type Html = ReturnType<typeof template>
export const html = template
/** What a template takes. */
export type Content = Html | string | number | false | undefined | readonly Content[]

/** A text of others, of which so many characters are shown: no letter in it turns, hides or ends anything. */
export const text = (value: unknown, most = 200): string => short(String(value ?? ''), most)

/** A number for people. */
export const number = (value: number | undefined): string => (value === undefined ? '–' : value.toLocaleString('en'))
