import { readFileSync } from 'node:fs'
import { basename } from 'node:path'

/** Under which name the command was called: the package installs it as `waybill` and as a plugin of kubectl. */
export type Called = {
  /** As people write it. */
  readonly name: 'waybill' | 'kubectl waybill'
  readonly isPlugin: boolean
  /** kubectl asks it what may come next on the command line. */
  readonly isAsked: boolean
}

export const calledAs = (path = ''): Called => {
  const file = basename(path).replace(/\.[cm]?[jt]s$/, '')
  const isAsked = file === 'kubectl_complete-waybill'
  const isPlugin = isAsked || file === 'kubectl-waybill'
  return { name: isPlugin ? 'kubectl waybill' : 'waybill', isPlugin, isAsked }
}

export const called = calledAs(process.argv[1])

export const version = (): string =>
  JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')).version
