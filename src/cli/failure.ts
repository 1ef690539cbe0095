/** Something that a person can fix: its message says all there is to say, and the command exits with 1. */
export class Failure extends Error {
  override readonly name = 'Failure'
}
