/** Of an answer's body; a description that is longer is not read. */
const mostBytes = 16 * 1024
const mostCharacters = 256

/**
 * Reads the type of the problem that an answer describes: the member `type` of a body of `application/problem+json`
 * (RFC 9457, section 3.1.1), which says what went wrong in a way that is the same each time.
 */
export class ProblemReader {
  readonly #chunks: Buffer[] = []
  #bytes = 0

  /** A reader for an answer with this content type; `undefined` where it describes no problem. */
  static for(contentType: unknown): ProblemReader | undefined {
    return typeof contentType === 'string' && /^application\/problem\+json *(;|$)/i.test(contentType)
      ? new ProblemReader()
      : undefined
  }

  /** Takes a piece of the body. */
  take(chunk: Buffer): void {
    this.#bytes += chunk.length
    // What was read from the socket is read over.
    if (this.#bytes <= mostBytes) this.#chunks.push(Buffer.from(chunk))
    else this.#chunks.length = 0
  }

  /** A URI of at most 256 printable characters; `undefined` where the body has none. */
  type(): string | undefined {
    if (this.#bytes === 0 || this.#bytes > mostBytes) return undefined
    try {
      const { type }: { type?: unknown } = Object(JSON.parse(Buffer.concat(this.#chunks).toString()))
      return typeof type === 'string' && isUri(type) ? type : undefined
    } catch {
      return undefined
    }
  }
}

/** `about:blank` says nothing but the status code. */
const isUri = (text: string): boolean =>
  text.length <= mostCharacters && /^[\x21-\x7e]+$/.test(text) && text !== 'about:blank'
