import { type Broker, broker as kind } from '../../api/kinds/broker.ts'
import type { ResourceName } from '../../api/resource.ts'
import { pause } from '../../async/abort.ts'
import { removalAnnotation } from '../../topology/health/removals.ts'
import { Failure } from '../failure.ts'
import type { Remote } from '../remote/remote.ts'

/** Each queue and exchange that is retained, with its Broker: `namespace/name`, `queue waybill.sub.shop.billing`. */
export const retainedOf = async (
  remote: Pick<Remote, 'list'>,
  namespace: string | undefined,
): Promise<readonly (readonly [broker: string, object: string])[]> =>
  (await remote.list(kind, namespace)).flatMap(({ metadata, status }) =>
    (status?.retained ?? []).map((object) => [`${metadata.namespace}/${metadata.name}`, object] as const),
  )

export type Removal = {
  readonly broker: ResourceName
  /** Of queues and exchanges, as the status lists them; empty: all in which no message is. */
  readonly names: readonly string[]
  /** How many messages may be deleted with each resource's queues. */
  readonly messages: number
  readonly timeoutMs: number
}

/** Queues and exchanges, as the status lists them. */
export type Removed = { readonly removed: readonly string[]; readonly left: readonly string[] }

const lookEveryMs = 500

/**
 * Asks the operator, by an annotation on the Broker, to remove what is retained, and waits until it has, or until the signal; then
 * the annotation goes. Resolves to what of it is gone, and what is still there. @throws Failure
 */
export const removeRetained = async (
  remote: Pick<Remote, 'get' | 'annotate'>,
  { broker, names, messages, timeoutMs }: Removal,
  signal: AbortSignal,
): Promise<Removed> => {
  const before = objectsOf(await found(remote, broker))
  const unknown = names.filter((name) => !before.some((object) => isNamed(object, name)))
  if (unknown.length > 0)
    throw new Failure(
      `${unknown.join(', ')} is not retained on broker ${broker.name}: see waybill retained ls -A --kubernetes`,
    )
  const meant = names.length === 0 ? before : before.filter((object) => names.some((name) => isNamed(object, name)))
  if (meant.length === 0) return { removed: [], left: [] }
  const asked =
    names.length === 0 ? 'empty' : names.map((name) => (messages > 0 ? `${name}=${messages}` : name)).join(',')
  await remote.annotate(kind, broker, { [removalAnnotation]: asked })
  try {
    for (const until = performance.now() + timeoutMs; ; ) {
      const now = objectsOf(await found(remote, broker))
      const left = meant.filter((object) => now.includes(object))
      if (left.length === 0 || performance.now() > until || signal.aborted)
        return { removed: meant.filter((object) => !left.includes(object)), left }
      await pause(lookEveryMs, signal)
    }
  } finally {
    await remote.annotate(kind, broker, { [removalAnnotation]: null })
  }
}

const found = async (remote: Pick<Remote, 'get'>, { namespace, name }: ResourceName): Promise<Broker> => {
  const broker = await remote.get(kind, namespace, name)
  if (broker === undefined) throw new Failure(`broker "${name}" not found in namespace ${namespace}`)
  return broker
}

const objectsOf = ({ status }: Broker): readonly string[] => status?.retained ?? []

const isNamed = (object: string, name: string): boolean => object === name || object.endsWith(` ${name}`)
