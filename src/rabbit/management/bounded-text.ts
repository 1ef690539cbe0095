/** An answer is longer than anything that is asked for. */
export class TooLong extends Error {
  override readonly name = 'TooLong'
}

/** The text of an answer, read no further than `limit` bytes. @throws TooLong */
export const boundedText = async (body: AsyncIterable<Uint8Array>, limit: number): Promise<string> => {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of body) {
    size += chunk.byteLength
    // Leaving the loop ends the connection.
    if (size > limit) throw new TooLong(`answered more than ${limit / 2 ** 20} MiB`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString()
}
