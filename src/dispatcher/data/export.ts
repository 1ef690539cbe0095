import type { LetterFilter } from '../../delivery/letters/filter.ts'
import { type ExportEnd, recordLine } from '../../delivery/letters/record.ts'
import { readLetters } from '../../delivery/letters/redact.ts'
import { selects } from '../../delivery/letters/select.ts'
import type { Message } from '../../delivery/message/message.ts'
import { mostHeld } from '../../rabbit/amqp/holding/hold.ts'
import type { Look } from './look.ts'
import type { Place } from './place.ts'

/** What a slow reader has not taken yet may be so much; what comes then is left out, and the end says so. */
const mostUnread = 128 * 1024 * 1024

/**
 * The letters that are asked for with everything in them, one line of JSON each, while they are read from the queue; the last
 * line says how many there are, and whether that is all. The stream fails where the queue cannot be read.
 */
export const exported = (look: Look, place: Place, { selector, limit }: LetterFilter): ReadableStream<Uint8Array> => {
  const isWanted = selects(selector)
  const read = readLetters(place.subscription, place.redaction)
  let [count, isCut, isCancelled] = [0, false, false]

  const start = async (controller: ReadableStreamDefaultController<Uint8Array>): Promise<void> => {
    const each = (found: Message): void => {
      const { letter, message, isRedacted } = read(found)
      if (isCancelled || !isWanted(letter, message)) return
      isCut ||= count >= limit || (controller.desiredSize ?? 0) <= 0
      if (isCut) return
      count += 1
      controller.enqueue(lineOf(recordLine(letter, message, place.subscription, isRedacted)))
    }
    const seen = await look(place, mostHeld, each)
    if (isCancelled) return
    if ('problem' in seen) throw new Error(seen.problem.message)
    const end: ExportEnd = { export: { count, complete: seen.isComplete && !isCut } }
    controller.enqueue(lineOf(JSON.stringify(end)))
    controller.close()
  }

  return new ReadableStream(
    {
      start(controller) {
        // Not awaited: what is read is sent meanwhile.
        start(controller).catch((error: unknown) => controller.error(error))
      },
      cancel() {
        isCancelled = true
      },
    },
    { highWaterMark: mostUnread, size: ({ byteLength }) => byteLength },
  )
}

const lineOf = (text: string): Uint8Array => Buffer.from(`${text}\n`)
