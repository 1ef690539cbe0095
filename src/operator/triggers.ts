import { kinds } from '../api/kinds.ts'
import { idOf, type Kind, type Resource } from '../api/resource.ts'
import type { Subscription } from '../api/subscription.ts'
import type { Change, Store } from '../store/store.ts'
import { type Attached, attach } from '../topology/attach.ts'
import { settleMs } from '../topology/retire.ts'
import { gather } from './gather.ts'
import { membersOf } from './unreachable.ts'

/** Changes that arrive together are looked at together: following the references of all resources is not free. */
const gatherMs = 50

/** What of a resource matters to the operator, as text to compare. */
type Print = { readonly meaning: string; readonly deadLettered: number }

/**
 * Calls `wake` for each broker whose resources changed in a way that matters, and with `undefined` for what belongs to no
 * broker; for all of them at the start. Statuses that the operator wrote itself do not matter. Returns what stops it.
 */
export const wakeOn = (store: Store, wake: (brokerKey: string | undefined, delayMs?: number) => void): (() => void) => {
  const resources = new Map<string, Print>()
  let brokers = new Map<string, Print>()
  let secretsChanged = false
  let timer: NodeJS.Timeout | undefined

  const look = () => {
    timer = undefined
    const before = brokers
    brokers = new Map([...attach(gather(store)).attached].map(([key, attached]) => [key, printOfAll(attached)]))
    for (const [key, { meaning, deadLettered }] of brokers) {
      const old = before.get(key)
      if (secretsChanged || old?.meaning !== meaning) wake(key)
      // RabbitMQ's counts are up to five seconds old, so a dead letter shows in them only later.
      if (old && old.deadLettered !== deadLettered) wake(key, settleMs)
    }
    for (const key of before.keys()) if (!brokers.has(key)) wake(key)
    secretsChanged = false
    wake(undefined)
  }

  const onChange = ({ kind: name, namespace, name: resourceName }: Change) => {
    const kind: Kind | undefined = kinds.find((candidate) => candidate.kind === name)
    if (kind === undefined) secretsChanged = true
    else {
      const id = `${name}/${namespace}/${resourceName}`
      const resource = store.get(kind, namespace, resourceName)
      const old = resources.get(id)
      const print = resource && printOf(resource)
      if (print) resources.set(id, print)
      else resources.delete(id)
      if (old?.meaning === print?.meaning && old?.deadLettered === print?.deadLettered) return
    }
    timer ??= setTimeout(look, gatherMs)
  }

  timer = setTimeout(look, 0)
  const stop = store.onChange(onChange)
  return () => {
    stop()
    clearTimeout(timer)
  }
}

const printOf = (resource: Resource): Print => {
  const { uid, generation, deletionTimestamp } = resource.metadata
  const delivering = resource.status?.conditions?.find(({ type }) => type === 'Delivering')
  return {
    meaning: [idOf(resource), uid, generation, deletionTimestamp, delivering?.status, delivering?.reason].join(' '),
    deadLettered: (resource as Partial<Subscription>).status?.delivery?.deadLettered ?? 0,
  }
}

const printOfAll = (attached: Attached): Print => {
  const policies = [...attached.queues, ...attached.subscriptions].flatMap(({ policy }) => policy ?? [])
  const prints = [...membersOf(attached), ...new Set<Resource>(policies)].map(printOf)
  return {
    meaning: prints.map(({ meaning }) => meaning).join('\n'),
    deadLettered: prints.reduce((sum, print) => sum + print.deadLettered, 0),
  }
}
