import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'

const name = 'htmx.min.js'
let known: string | undefined

/** htmx: in the image it is beside the program, else in the package. Pages need it for nothing but to show progress. */
export const script = (): string => {
  known ??= beside() ?? readFileSync(createRequire(import.meta.url).resolve(`htmx.org/dist/${name}`), 'utf8')
  return known
}

const beside = (): string | undefined => {
  try {
    return readFileSync(new URL(name, import.meta.url), 'utf8')
  } catch {
    return undefined
  }
}
