/** Why something cannot be done, as the HTTP answer says it. */
export type Refused = {
  readonly problem: {
    readonly code: 400 | 404 | 409 | 413 | 503
    /** CamelCase, for machines. */
    readonly reason: string
    readonly message: string
  }
}

export const refused = (code: Refused['problem']['code'], reason: string, message: string): Refused => ({
  problem: { code, reason, message },
})
