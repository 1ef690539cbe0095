import type { Replay } from '../../api/kinds/replay.ts'
import type { Message } from '../message/message.ts'
import type { Letter } from './letter.ts'

export type Selector = Replay['spec']['selector']

/** Whether a dead letter is meant: all that the selector asks for must hold. One that asks for nothing means none. */
export const selects = (selector: Selector): ((letter: Letter, message: Message) => boolean) => {
  if (selector.all) return () => true
  const tests = testsOf(selector)
  return (letter, message) => tests.length > 0 && tests.every((test) => test(letter, message))
}

type Test = (letter: Letter, message: Message) => boolean

const testsOf = ({
  groups,
  reasons,
  statusCodes,
  types,
  ids,
  deadLettered,
  headers,
  replaysAtMost,
}: Selector): Test[] => {
  const tests: Test[] = []
  if (groups) tests.push(({ group }) => groups.includes(group))
  if (reasons) tests.push(({ reason }) => reasons.includes(reason))
  if (statusCodes) tests.push(({ statusCode }) => statusCodes.some((wanted) => isOf(statusCode, wanted)))
  if (types) tests.push(({ eventType }) => eventType !== undefined && types.includes(eventType))
  if (ids) {
    const wanted = new Set(ids)
    tests.push(({ id }) => wanted.has(id))
  }
  if (deadLettered) tests.push(within(deadLettered))
  for (const [name, text] of Object.entries(headers ?? {}))
    tests.push((_letter, { properties }) => properties.headers?.text(name) === text)
  if (replaysAtMost !== undefined) tests.push(({ replays }) => replays <= replaysAtMost)
  return tests
}

const isOf = (statusCode: number | undefined, wanted: string): boolean =>
  wanted.endsWith('xx')
    ? statusCode !== undefined && Math.floor(statusCode / 100) === Number(wanted[0])
    : statusCode === Number(wanted)

/** A letter that does not say when it was dead-lettered is within no limits. */
const within = ({ notBefore, notAfter }: NonNullable<Selector['deadLettered']>): Test => {
  const least = notBefore === undefined ? Number.NEGATIVE_INFINITY : Date.parse(notBefore)
  const most = notAfter === undefined ? Number.POSITIVE_INFINITY : Date.parse(notAfter)
  return ({ deadLettered }) => deadLettered !== undefined && deadLettered >= least && deadLettered <= most
}
