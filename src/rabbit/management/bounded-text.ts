import type { Readable } from 'node:stream'

export type Bounds = {
  /** From the first byte to the last, however steadily they trickle. */
  readonly wholeWithinMs: number
  /** In bytes. */
  readonly longestAnswer: number
}

/** An answer is longer, or takes longer, than anything that is asked for. */
export class Unbounded extends Error {
  override readonly name = 'Unbounded'
}

/** The text of an answer, read no further than its bounds; its connection is ended there. @throws Unbounded */
export const boundedText = async (body: Readable, { wholeWithinMs, longestAnswer }: Bounds): Promise<string> => {
  const late = new Unbounded(`did not finish its answer within ${wholeWithinMs / 1000} s`)
  const timer = setTimeout(() => body.destroy(late), wholeWithinMs)
  try {
    const chunks: Buffer[] = []
    let size = 0
    for await (const chunk of body) {
      size += chunk.byteLength
      if (size > longestAnswer) throw new Unbounded(`answered more than ${longestAnswer / 2 ** 20} MiB`)
      chunks.push(chunk)
    }
    return Buffer.concat(chunks).toString()
  } finally {
    clearTimeout(timer)
  }
}
