import type { Rule, StringSchema } from './schema.ts'

const label = '[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?'
const host = `(${label}([.]${label})*[.]?|\\\\[[0-9A-Fa-f:.]+\\\\])`
const port = '([0-9]{1,4}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5])'
/** A user and a fragment are part of the shape; the rules beside it say why they are refused. */
const shape = `^https?://([^/?#]*@)?${host}(:${port})?([/?#][!-~]*)?$`

/**
 * Where messages may be sent to. The rules are regular expressions, which mean the same to the API server and to Waybill:
 * their libraries do not agree on what a URL is.
 */
export const url = {
  type: 'string',
  maxLength: 2048,
  'x-kubernetes-validations': [
    {
      rule: "!self.matches('^https?://[^/?#]*@')",
      message: 'must not hold a user or a password: they would be shown to everybody who can read this resource',
    },
    { rule: "!self.contains('#')", message: 'must not hold a fragment (#…): it is never sent' },
    { rule: "self.matches('^https?://')", message: 'must be an http:// or https:// URL' },
    {
      rule: `!self.matches('^https?://') || self.matches('${shape}')`,
      message: 'must be a URL such as http://host:8080/path',
    },
  ] satisfies readonly Rule[],
} as const satisfies StringSchema
