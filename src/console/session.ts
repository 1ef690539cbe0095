import { createCipheriv, createDecipheriv, createHmac, randomBytes } from 'node:crypto'
import { isSameSecret } from '../server/same-secret.ts'

/** Who is logged in, as the cookie holds it. */
export type Session = {
  readonly token: string
  /** Names this session, and no other. */
  readonly id: string
  /** In ms since 1970. */
  readonly until: number
}

/** No session lasts longer. */
const longestMs = 12 * 3_600_000
const algorithm = 'aes-256-gcm'
const [ivBytes, tagBytes] = [12, 16]

/** Sessions are in cookies that only this process can read, so it keeps nothing, and all end with it. */
export type Sessions = {
  begin(token: string, nowMs: number): Session
  seal(session: Session): string
  /** `undefined` for what is not a session, or no longer. */
  open(sealed: string, nowMs: number): Session | undefined
  /** What each form of a session holds, so that no other page can send one. */
  formToken(of: string): string
  isFormToken(of: string, given: string): boolean
}

/** `name` is bound into each cookie: one for another console is none here. */
export const createSessions = (name: string, key: Buffer = randomBytes(32)): Sessions => {
  const formKey = createHmac('sha256', key).update('forms').digest()
  const formToken = (of: string): string => createHmac('sha256', formKey).update(of).digest('base64url')
  return {
    begin(token, nowMs) {
      const until = Math.min(nowMs + longestMs, expiryOf(token) ?? Number.POSITIVE_INFINITY)
      return { token, id: randomBytes(16).toString('base64url'), until }
    },
    seal(session) {
      const iv = randomBytes(ivBytes)
      const cipher = createCipheriv(algorithm, key, iv).setAAD(Buffer.from(name))
      const text = Buffer.concat([cipher.update(JSON.stringify(session)), cipher.final()])
      return Buffer.concat([iv, cipher.getAuthTag(), text]).toString('base64url')
    },
    open(sealed, nowMs) {
      const session = opened(sealed, key, name)
      return session && session.until > nowMs ? session : undefined
    },
    formToken,
    isFormToken: (of, given) => isSameSecret(given, formToken(of)),
  }
}

const opened = (sealed: string, key: Buffer, name: string): Session | undefined => {
  const bytes = Buffer.from(sealed, 'base64url')
  if (bytes.length <= ivBytes + tagBytes) return undefined
  try {
    const decipher = createDecipheriv(algorithm, key, bytes.subarray(0, ivBytes), { authTagLength: tagBytes })
      .setAAD(Buffer.from(name))
      .setAuthTag(bytes.subarray(ivBytes, ivBytes + tagBytes))
    const text = Buffer.concat([decipher.update(bytes.subarray(ivBytes + tagBytes)), decipher.final()])
    return JSON.parse(text.toString('utf8')) as Session
  } catch {
    return undefined
  }
}

/** When a token ends, in ms since 1970, where it is a JWT that says so. It is not verified here: who issued it does that. */
export const expiryOf = (token: string): number | undefined => {
  const exp = claimsOf(token)?.exp
  return typeof exp === 'number' && Number.isFinite(exp) ? exp * 1000 : undefined
}

/** What a JWT says, unverified. */
export const claimsOf = (token: string): Readonly<Record<string, unknown>> | undefined => {
  const [, payload, signature] = token.split('.')
  if (payload === undefined || signature === undefined) return undefined
  try {
    const claims: unknown = JSON.parse(Buffer.from(payload, 'base64url').toString('utf8'))
    return typeof claims === 'object' && claims !== null ? { ...claims } : undefined
  } catch {
    return undefined
  }
}
