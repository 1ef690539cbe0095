/** How commands end, beside 0. */
export const exits = { failed: 1, usage: 2, notPermitted: 3 } as const

/** Something that a person can fix: its message says all there is to say, and the command exits with 1 or what is given. */
export class Failure extends Error {
  override readonly name = 'Failure'
  readonly exitCode: number

  constructor(message: string, { exitCode = exits.failed, ...options }: ErrorOptions & { exitCode?: number } = {}) {
    super(message, options)
    this.exitCode = exitCode
  }
}
