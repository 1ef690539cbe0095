/** Something a person can mend: its message is all there is to say, and the command ends with 1. */
export class Failure extends Error {
  override readonly name = 'Failure'
}
