import type { LookupFunction } from 'node:net'
import type { ResourceName } from '../../api/resource.ts'
import { filterOf, type LetterFilter } from '../../delivery/letters/filter.ts'
import { readLetters } from '../../delivery/letters/redact.ts'
import { selects } from '../../delivery/letters/select.ts'
import { type ShownLetter, shown } from '../../delivery/letters/shown.ts'
import type { Message } from '../../delivery/message/message.ts'
import { mostHeld } from '../../rabbit/amqp/holding/hold.ts'
import type { AmqpLog } from '../../rabbit/amqp/port.ts'
import type { Store } from '../../store/store.ts'
import { exported } from './export.ts'
import { type Imported, importLines } from './import.ts'
import { createLooks, type Look } from './look.ts'
import { type Place, placeOf } from './place.ts'
import { type Refused, refused } from './refused.ts'

export type DeadLettersOptions = {
  readonly store: Pick<Store, 'get' | 'list' | 'secret'>
  /** Resolves the names of brokers; the system when left out. */
  readonly lookup?: LookupFunction | undefined
  readonly log: AmqpLog
}

export type Listed = {
  /** In the order of the queue: the oldest first. */
  readonly letters: readonly ShownLetter[]
  /** Whether these are all that are asked for; else there may be more. */
  readonly complete: boolean
  /** How many messages of the queue are looked at. */
  readonly looked: number
}

export type Found = {
  readonly letter: ShownLetter
  /** How many letters have this id: more than one after a crash. */
  readonly copies: number
  readonly body: Buffer
}

/** What can be asked of the dead letters of a subscription. To look at them changes nothing. */
export type DeadLetters = {
  list(of: ResourceName, query: URLSearchParams): Promise<Listed | Refused>
  find(of: ResourceName, id: string): Promise<Found | Refused>
  /** Lines of JSON; see {@link exported}. */
  export(of: ResourceName, query: URLSearchParams): Promise<{ readonly lines: ReadableStream<Uint8Array> } | Refused>
  /** Takes such lines; see {@link importLines}. */
  import(of: ResourceName, query: URLSearchParams, body: AsyncIterable<Uint8Array>): Promise<Imported | Refused>
}

const limits = { usual: 500, most: 10_000 }
/** More than this is not kept of one list, however long the headers are. */
const mostBytes = 32 * 1024 * 1024

/** The dead letters of all subscriptions, read from their queues whenever somebody asks. The signal ends what is under way. */
export const createDeadLetters = ({ store, lookup, log }: DeadLettersOptions, signal: AbortSignal): DeadLetters => {
  const look = createLooks(signal)

  return {
    async list(of, query) {
      const filter = filterOf(query, limits)
      if ('problem' in filter) return refused(400, 'BadRequest', filter.problem)
      const place = await placeOf(store, of, lookup)
      return 'problem' in place ? place : listAt(place, filter, look)
    },

    async find(of, id) {
      const place = await placeOf(store, of, lookup)
      return 'problem' in place ? place : findAt(place, id, look)
    },

    async export(of, query) {
      const filter = filterOf(query, { usual: mostHeld, most: mostHeld })
      if ('problem' in filter) return refused(400, 'BadRequest', filter.problem)
      const place = await placeOf(store, of, lookup)
      return 'problem' in place ? place : { lines: exported(look, place, filter) }
    },

    async import(of, query, body) {
      const unknown = [...query].find(([name, value]) => name !== 'anySubscription' || value !== 'true')
      if (unknown) return refused(400, 'BadRequest', `unknown parameter ${JSON.stringify(unknown[0])}`)
      const place = await placeOf(store, of, lookup)
      if ('problem' in place) return place
      const anySubscription = query.has('anySubscription')
      return importLines(place, body, { look, log, anySubscription }, signal)
    },
  }
}

/** Answers once the list has all that it may hold: the look goes on behind it, to the end. */
const listAt = async (place: Place, filter: LetterFilter, look: Look): Promise<Listed | Refused> => {
  const isWanted = selects(filter.selector)
  const read = readLetters(place.subscription, place.redaction)
  let letters: ShownLetter[] = []
  let [bytes, isCut, count] = [0, false, 0]
  const cut = Promise.withResolvers<Listed>()
  const each = (found: Message): void => {
    if (isCut) return
    const { letter, message, isRedacted } = read(found)
    if (!isWanted(letter, message)) return
    isCut = letters.length >= filter.limit || bytes > mostBytes
    if (isCut) {
      cut.resolve({ letters, complete: false, looked: count })
      return
    }
    bytes += message.properties.raw.length
    letters.push(shown(letter, message, isRedacted))
  }
  const again = (): void => {
    letters = []
    bytes = 0
    isCut = false
  }
  // Never less: what is looked at goes behind what is not, so the order would change.
  const seen = look(place, mostHeld, each, again, (found) => {
    count = found
  })
  const whole = seen.then((found): Listed | Refused =>
    'problem' in found ? found : { letters, complete: found.isComplete && !isCut, looked: found.seen },
  )
  return Promise.race([cut.promise, whole])
}

const findAt = async (place: Place, id: string, look: Look): Promise<Found | Refused> => {
  let found: Found | undefined
  const read = readLetters(place.subscription, place.redaction)
  const each = (whole: Message): void => {
    const { letter, message, isRedacted } = read(whole)
    if (letter.id !== id) return
    const copies = (found?.copies ?? 0) + 1
    found = { ...(found ?? { letter: shown(letter, message, isRedacted), body: Buffer.from(message.content) }), copies }
  }
  const again = (): void => {
    found = undefined
  }
  const seen = await look(place, mostHeld, each, again)
  if ('problem' in seen) return seen
  const among = seen.isComplete ? '' : ` among the ${seen.seen} that could be looked at`
  return found ?? refused(404, 'NotFound', `no dead letter of ${place.subscription} has this id${among}`)
}
