/** The time during which this process is the one of its kind that writes. */
export type Leadership = {
  /** Aborts when it ends: another process may lead, or this one is to stop. */
  readonly signal: AbortSignal
  /** Call it right before each write; throws once another process may write. While the process stops it still leads. */
  fence(): void
}

/** Whether any process of a kind is there, as others see it. */
export type Presence = {
  /** None has been there for a while. */
  isAbsent(): boolean
  /** Calls `listener` whenever that changes, until the returned function is called. */
  onChange(listener: () => void): () => void
}
