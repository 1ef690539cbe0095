/** The character set that a content type declares, in lower case; UTF-8 where it declares none. */
export const charsetOf = (contentType: string): string =>
  /;\s*charset\s*=\s*"?([^";\s]+)/i.exec(contentType)?.[1]?.toLowerCase() ?? 'utf-8'

/** Whether a content type means JSON: `application/json`, `text/json`, `application/geo+json`. */
export const isJson = (contentType: string): boolean => /^[^;]*[/+]json\s*(;|$)/i.test(contentType)
