import { contentHash, publishedProperties, type Recorded, recorded } from '../../delivery/letters/record.ts'
import type { Message } from '../../delivery/message/message.ts'
import { connectAmqp, untilPublishing } from '../../rabbit/amqp/connect.ts'
import { mostHeld } from '../../rabbit/amqp/holding/hold.ts'
import { turnFor } from '../../rabbit/amqp/holding/turns.ts'
import type { Amqp, AmqpLog } from '../../rabbit/amqp/port.ts'
import { PublishError } from '../../rabbit/amqp/publish-error.ts'
import { LineTooLong, linesOf } from './lines.ts'
import type { Look } from './look.ts'
import type { Place } from './place.ts'
import { type Refused, refused } from './refused.ts'

export type Imported = {
  /** Letters that were put into the queue, each confirmed. */
  readonly imported: number
  /** Lines whose very letter was in the queue already. */
  readonly skipped: number
}

export type ImportOptions = {
  readonly look: Look
  readonly log: AmqpLog
  /** Whether letters of other subscriptions are imported too. */
  readonly anySubscription: boolean
}

const mostLine = 64 * 1024 * 1024
const mostAtATime = 100
const mostBytesAtATime = 32 * 1024 * 1024
const connectWithinMs = 10_000

/**
 * Puts exported letters into the dead-letter queue, one line each. What is in the queue already, byte for byte, is not put there
 * again, so an import that was broken off goes on when it is made again. It stops at the first line that cannot be imported.
 */
export const importLines = async (
  place: Place,
  body: AsyncIterable<Uint8Array>,
  options: ImportOptions,
  signal: AbortSignal,
): Promise<Imported | Refused> => {
  // One that was broken off may still have letters under way.
  const turn = await turnFor(`import ${place.subscription}`)
  try {
    return await importInTurn(place, body, options, signal)
  } finally {
    turn.end()
  }
}

const importInTurn = async (
  place: Place,
  body: AsyncIterable<Uint8Array>,
  { look, log, anySubscription }: ImportOptions,
  signal: AbortSignal,
): Promise<Imported | Refused> => {
  const present = new Map<string, number>()
  const each = ({ properties, content }: Message): void => {
    const hash = contentHash(publishedProperties(properties), content)
    present.set(hash, (present.get(hash) ?? 0) + 1)
  }
  const seen = await look(place, mostHeld, each, () => present.clear())
  if ('problem' in seen) return seen
  if (!seen.isComplete) return busy
  const closing = new AbortController()
  const until = AbortSignal.any([signal, closing.signal])
  const amqp = connectAmqp(place.endpoint, { name: 'waybill import', log }, until)
  try {
    if (!(await untilPublishing(amqp, AbortSignal.any([signal, AbortSignal.timeout(connectWithinMs)]))))
      return refused(503, 'BrokerUnavailable', 'the broker cannot be reached')
    return await importOn(amqp, place, body, { present, anySubscription })
  } finally {
    await amqp.close()
    closing.abort()
  }
}

const busy = refused(
  409,
  'Conflict',
  'cannot see all letters that are in the queue: there are too many, or somebody else has some in hand',
)

type Present = { readonly present: Map<string, number>; readonly anySubscription: boolean }

const importOn = async (
  amqp: Amqp,
  place: Place,
  body: AsyncIterable<Uint8Array>,
  { present, anySubscription }: Present,
): Promise<Imported | Refused> => {
  const publishing = createPublishing(amqp, place)
  let [line, skipped] = [0, 0]
  let problem: string | undefined
  try {
    for await (const text of linesOf(body, mostLine)) {
      line += 1
      // The rest is read all the same: who sends it listens only afterwards.
      if (problem !== undefined || publishing.failure() !== undefined || text.trim() === '') continue
      const record = recorded(text)
      if ('end' in record) continue
      problem = problemOf(record, place, anySubscription)
      if (problem !== undefined) problem = `line ${line} ${problem}`
      else if (isPresent(present, record as Recorded)) skipped += 1
      else await publishing.add(record as Recorded)
    }
  } catch (error) {
    // Whoever sent it may have been killed.
    problem = `line ${line + 1}: ${error instanceof LineTooLong ? error.message : 'the request broke off'}`
  } finally {
    await publishing.done()
  }
  const imported = publishing.confirmed()
  const failure = publishing.failure()
  const soFar = `${imported} were imported and ${skipped} were there already`
  if (failure !== undefined)
    return refused(503, 'NotConfirmed', `${failure}; ${soFar}; to go on, import the file again`)
  if (problem === undefined) return { imported, skipped }
  return refused(
    400,
    'BadRequest',
    `${problem}; ${soFar}; import it again once it is correct: nothing is imported twice`,
  )
}

const problemOf = (
  record: Recorded | { readonly problem: string },
  { subscription }: Place,
  anySubscription: boolean,
): string | undefined => {
  if ('problem' in record) return record.problem
  if (anySubscription || record.subscription === undefined || record.subscription === subscription) return undefined
  return 'is a letter of another subscription, which is imported with --any-subscription alone'
}

/** Each letter in the queue stands for one line. */
const isPresent = (present: Map<string, number>, { properties, body }: Recorded): boolean => {
  const hash = contentHash(properties, body)
  const count = present.get(hash) ?? 0
  if (count > 0) present.set(hash, count - 1)
  return count > 0
}

/** Publishes several at a time; after the first that is not confirmed, no more. */
const createPublishing = (amqp: Amqp, { queue }: Place) => {
  const underWay = new Set<Promise<void>>()
  let [bytes, confirmed] = [0, 0]
  let failure: string | undefined

  const publish = async ({ properties, body }: Recorded): Promise<void> => {
    const size = properties.length + body.length
    bytes += size
    try {
      await amqp.publish({ exchange: '', routingKey: queue, properties, body })
      confirmed += 1
    } catch (error) {
      failure ??= error instanceof PublishError ? error.message : 'the letter could not be published'
    } finally {
      bytes -= size
    }
  }

  return {
    async add(record: Recorded): Promise<void> {
      while (underWay.size >= mostAtATime || (underWay.size > 0 && bytes >= mostBytesAtATime)) {
        await Promise.race(underWay)
      }
      const one = publish(record).finally(() => underWay.delete(one))
      underWay.add(one)
    },
    async done(): Promise<void> {
      await Promise.all(underWay)
    },
    confirmed: () => confirmed,
    failure: () => failure,
  }
}
