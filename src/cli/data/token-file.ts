import { randomBytes } from 'node:crypto'
import { chmodSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'

/** Where the token for the data port of a `waybill run` on this machine is kept, for the same user. */
export const tokenFile = (port: number, env: NodeJS.ProcessEnv = process.env): string =>
  join(env.XDG_STATE_HOME || join(homedir(), '.local', 'state'), 'waybill', `token-${port}`)

/** Makes a new token, and a file with it that nobody else can read. @throws what the file system throws */
export const writeToken = (path: string): string => {
  const token = randomBytes(32).toString('base64url')
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  // Under another name first: a file that was there may be readable by others, or be a link.
  const made = `${path}.${randomBytes(4).toString('hex')}`
  writeFileSync(made, `${token}\n`, { mode: 0o600, flag: 'wx' })
  chmodSync(made, 0o600)
  renameSync(made, path)
  return token
}

/** The token in the file; `undefined` where it cannot be read. */
export const readToken = (path: string): string | undefined => {
  try {
    return readFileSync(path, 'utf8').trim() || undefined
  } catch {
    return undefined
  }
}

/** Removes the file if it still has this token: another process may have taken the port. */
export const removeToken = (path: string, token: string): void => {
  if (readToken(path) === token) rmSync(path, { force: true })
}
