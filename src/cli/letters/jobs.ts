import { randomBytes } from 'node:crypto'
import { createInterface } from 'node:readline/promises'
import { age } from '../../api/age.ts'
import { milliseconds } from '../../api/duration.ts'
import type { Kind, ResourceName } from '../../api/resource.ts'
import { called } from '../called.ts'
import { exits, Failure } from '../failure.ts'
import type { Remote } from '../remote/remote.ts'
import { userName } from '../user-name.ts'
import { type SourceName, sources } from './source.ts'
import { type Counts, failureWhere, type JobKind, type Result, resultOf, suspending, watched } from './watching.ts'

export type JobOptions = {
  /** Only count. */
  readonly dryRun?: boolean
  /** Do not ask. */
  readonly yes?: boolean
}

/** What is to be done, and with what: the spec without its source. */
export type Order = {
  readonly kind: JobKind
  readonly from: SourceName
  readonly spec: Readonly<Record<string, unknown>>
}

/**
 * Counts what matches, asks, and then makes the job and shows how it goes on until it has ended. Resolves to whether all that
 * matched was done. Interrupted, it stops to look: the job goes on.
 *
 * @throws Failure
 */
export const runJob = async (
  remote: Remote,
  { namespace, name }: ResourceName,
  { kind, from, spec }: Order,
  options: JobOptions,
): Promise<boolean> => {
  await assertExists(remote, { namespace, name }, from)
  const make = async (more: object): Promise<string> => {
    const own = `${name.slice(0, 200)}-${randomBytes(4).toString('hex')}`
    const metadata = { name: own, namespace }
    const requestedBy = userName()
    await remote.create(kind, { metadata, spec: { ...spec, requestedBy, ...sources[from].specOf(name), ...more } })
    return own
  }
  const verb = spec.to === 'DeadLetters' ? 'Restore' : kind.kind
  const nouns = verb === 'Restore' ? 'discarded letters' : sources[from].noun
  const dry = await watched(remote, kind, { namespace, name: await make({ dryRun: true }) }, sayWaits())
  const { matched = 0 } = dry.status ?? {}
  say(matched === 0 ? `No ${nouns} of ${namespace}/${name} match` : `${matched} ${nouns} of ${namespace}/${name} match`)
  if (matched === 0 || options.dryRun) return true
  if (!options.yes && !(await agreed(question(verb, matched, spec)))) {
    say('Nothing was done')
    return false
  }
  const own = await make({})
  const stopWatching = (): void => {
    say(`\nNo longer watching. ${kind.singular}/${own} goes on${suspending(remote, kind, { namespace, name: own })}`)
    process.exit(exits.failed)
  }
  process.once('SIGINT', stopWatching)
  say(`${kind.singular}/${own} in namespace ${namespace}; Ctrl-C stops watching, it goes on`)
  try {
    const result = resultOf(await watched(remote, kind, { namespace, name: own }, sayProgress()))
    const where = from === 'subscription' ? failureWhere(remote, { namespace, name }) : undefined
    for (const line of linesOf(result, where)) say(line)
    return result.isDone
  } finally {
    process.off('SIGINT', stopWatching)
  }
}

/** A job of a source that does not exist would wait for it. Who may not read it may make a job all the same. */
const assertExists = async (remote: Remote, { namespace, name }: ResourceName, from: SourceName): Promise<void> => {
  const { kind } = sources[from]
  const found = await remote.get<Kind>(kind, namespace, name).catch((error: unknown) => {
    if (error instanceof Failure && error.exitCode === exits.notPermitted) return true
    throw error
  })
  if (found !== undefined) return
  throw new Failure(`${kind.kind} ${namespace}/${name} does not exist; see ${called.name} get ${kind.plural}`)
}

const linesOf = (result: Result, where: string | undefined): string[] => [
  result.message,
  ...(result.failed > 0 && where ? [`What failed is a dead letter still; see why: ${where}`] : []),
  ...(result.isLimited ? [`${result.left} are left, because of --max: do it again for more`] : []),
]

const question = (verb: string, matched: number, { maxMessages = 1_000, rate }: Order['spec']): string => {
  const most = Number(maxMessages)
  const which = matched > most ? `the oldest ${most} of them (see --max)` : matched === 1 ? 'it' : 'them'
  return `${verb} ${which}${rate === undefined ? '' : duration(Math.min(matched, most), rate as Rate)}?`
}

type Rate = { readonly requests: number; readonly per: string }

const duration = (count: number, { requests, per }: Rate): string =>
  `, which takes ${age((count * milliseconds(per)) / requests / 1_000)} at this rate`

const say = (text: string): void => void process.stderr.write(`${text}\n`)

const agreed = async (question: string): Promise<boolean> => {
  if (!process.stdin.isTTY)
    throw new Failure('there is nobody to ask: say -y to go on without', { exitCode: exits.usage })
  const asking = createInterface({ input: process.stdin, output: process.stderr })
  const interrupted = new Promise<string>((resolve) => asking.once('SIGINT', () => resolve('')))
  const answer = await Promise.race([asking.question(`${question} [y/N] `), interrupted])
  asking.close()
  return /^y(es)?$/i.test(answer.trim())
}

/** Says how far it is when that changed, every two seconds at most. */
const sayProgress = (): Parameters<typeof watched>[3] => {
  let [said, at] = ['', 0]
  return (counts, waits) => {
    const text = waits ? `waiting: ${waits}` : counts && progressText(counts)
    if (text === undefined || text === said || performance.now() - at < 2_000) return
    ;[said, at] = [text, performance.now()]
    say(text)
  }
}

const progressText = ({ delivered, failed, left }: Counts): string => {
  const again = failed > 0 ? `, ${failed} failed again` : ''
  return `${delivered} of ${delivered + failed + left} done${again}`
}

/** Says what is waited for, while there is nothing to count. */
const sayWaits = (): Parameters<typeof watched>[3] => {
  let said = ''
  return (_counts, waits) => {
    if (waits === undefined || waits === said) return
    said = waits
    say(`waiting: ${waits}`)
  }
}
