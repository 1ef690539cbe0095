import type { Rule, StringSchema } from './schema/schema.ts'

const label = '[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?'
const host = `(${label}([.]${label})*[.]?|\\\\[[0-9A-Fa-f:.]+\\\\])`
const port = '([0-9]{1,4}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5])'
/** A user and a fragment fit this shape; separate rules refuse them and say why. */
const shape = `^https?://([^/?#]*@)?${host}(:${port})?([/?#][^\\\\x00-\\\\x20]*)?$`

/** Where messages may be sent; `urlRules` belong with it. */
export const url = { type: 'string', maxLength: 2048 } as const satisfies StringSchema

/**
 * The rules of `url`. They belong on the object that holds it, because the API server quotes a string that breaks its own
 * rule, which may contain a password. They are regular expressions because the API server's library and ours do not agree
 * on what a URL is.
 */
export const urlRules = (
  [
    [
      "!self.url.matches('^https?://[^/?#]*@')",
      'must not contain a user or a password: they would be shown to everybody who can read this resource',
    ],
    ["!self.url.contains('#')", 'must not contain a fragment (#…): it is never sent'],
    ["self.url.matches('^https?://')", 'must be an http:// or https:// URL'],
    [`!self.url.matches('^https?://') || self.url.matches('${shape}')`, 'must be a URL such as http://host:8080/path'],
  ] as const
).map(([rule, message]): Rule => ({ rule: `!has(self.url) || ${rule}`, message, fieldPath: '.url' }))
