import { randomBytes } from 'node:crypto'
import { createInterface } from 'node:readline/promises'
import { setTimeout as delay } from 'node:timers/promises'
import type { Condition } from '../../api/conditions.ts'
import type { Resource } from '../../api/resource.ts'
import { exits, Failure } from '../failure.ts'
import { userName } from '../user-name.ts'
import type { Named } from './client.ts'
import { type JobClient, type JobKind, type JobServerOptions, jobClient } from './job-client.ts'

export type JobOptions = JobServerOptions & {
  /** Only count. */
  readonly dryRun?: boolean
  /** Do not ask. */
  readonly yes?: boolean
}

/** What is to be done: the spec without its subscription. */
export type Order = { readonly kind: JobKind; readonly spec: Readonly<Record<string, unknown>> }

const lookEveryMs = 500
const endsWithinMs = 24 * 3_600_000

/**
 * Counts what matches, asks, and then makes the job and shows how it goes on until it has ended. Resolves to whether all that
 * matched was done. Interrupted, it stops to look: the job goes on.
 *
 * @throws Failure
 */
export const runJob = async (
  { namespace, name }: Named,
  { kind, spec }: Order,
  options: JobOptions,
): Promise<boolean> => {
  const client = await jobClient(options)
  try {
    const make = async (more: object): Promise<string> => {
      const own = `${name.slice(0, 200)}-${randomBytes(4).toString('hex')}`
      const metadata = { name: own, namespace }
      const requestedBy = userName()
      await client.create(kind, { metadata, spec: { ...spec, requestedBy, subscriptionRef: { name }, ...more } })
      return own
    }
    const dry = await ended(client, kind, namespace, await make({ dryRun: true }), () => undefined)
    const { matched = 0 } = dry.status ?? {}
    say(`${matched} dead letters match`)
    if (matched === 0 || options.dryRun) return true
    if (!options.yes && !(await agreed(`${kind.kind} them?`))) return false
    const own = await make({})
    say(`${kind.singular}/${own} in namespace ${namespace}; interrupt to stop watching, it goes on`)
    const job = await ended(client, kind, namespace, own, progress())
    const last = endOf(job)
    say(last?.message ?? '')
    return last?.type === 'Complete' && (job.status?.failed ?? 0) === 0
  } finally {
    await client.close()
  }
}

const say = (text: string): void => void process.stderr.write(`${text}\n`)

const agreed = async (question: string): Promise<boolean> => {
  if (!process.stdin.isTTY)
    throw new Failure('there is nobody to ask: say -y to go on without', { exitCode: exits.usage })
  const asking = createInterface({ input: process.stdin, output: process.stderr })
  const answer = await asking.question(`${question} [y/N] `)
  asking.close()
  return /^y(es)?$/i.test(answer.trim())
}

/** Says how far it is when that changed, every two seconds at most. */
const progress = () => {
  let [said, at] = ['', 0]
  return ({ status }: Resource<JobKind>): void => {
    const { delivered = 0, failed = 0, left = 0 } = status ?? {}
    const waits = status?.conditions?.find(({ type, status: is }) => type === 'Progressing' && is === 'False')
    const text = waits ? `waiting: ${waits.message}` : `${delivered} done, ${failed} failed again, ${left} left`
    if (text === said || performance.now() - at < 2_000) return
    ;[said, at] = [text, performance.now()]
    say(text)
  }
}

const endOf = ({ status }: Resource<JobKind>): Condition | undefined =>
  status?.conditions?.find(({ type, status: is }) => is === 'True' && (type === 'Complete' || type === 'Failed'))

/** The job once it has ended. */
const ended = async (
  client: JobClient,
  kind: JobKind,
  namespace: string,
  name: string,
  seen: (job: Resource<JobKind>) => void,
): Promise<Resource<JobKind>> => {
  for (const until = performance.now() + endsWithinMs; performance.now() < until; await delay(lookEveryMs)) {
    const job = await client.get(kind, namespace, name)
    if (job === undefined) throw new Failure(`${kind.singular}/${name} is gone: somebody deleted it`)
    if (endOf(job)) return job
    seen(job)
  }
  throw new Failure(`${kind.singular}/${name} has not ended within a day`)
}
