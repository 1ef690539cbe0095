import { createHash, randomBytes } from 'node:crypto'

/** A token that is exchanged for another one, once. */
export type OneTime = {
  readonly token: string
  /** What it is exchanged for; `undefined` for any other token, and the second time. */
  exchange(token: string): string | undefined
}

export const createOneTime = (whatFor: string): OneTime => {
  const token = randomBytes(24).toString('base64url')
  let left: string | undefined = hashOf(token)
  return {
    token,
    exchange(given) {
      // Hashes, so that the time which it takes to compare says nothing.
      if (left === undefined || hashOf(given) !== left) return undefined
      left = undefined
      return whatFor
    },
  }
}

const hashOf = (text: string): string => createHash('sha256').update(text).digest('base64')
