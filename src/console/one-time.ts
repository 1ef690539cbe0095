import { randomBytes } from 'node:crypto'
import { isSameSecret } from '../server/same-secret.ts'

/** A token that is exchanged for another one, once. */
export type OneTime = {
  readonly token: string
  /** What it is exchanged for; `undefined` for any other token, and the second time. */
  exchange(token: string): string | undefined
}

export const createOneTime = (whatFor: string): OneTime => {
  const token = randomBytes(24).toString('base64url')
  let isUsed = false
  return {
    token,
    exchange(given) {
      if (isUsed || !isSameSecret(given, token)) return undefined
      isUsed = true
      return whatFor
    },
  }
}
