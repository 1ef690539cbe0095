import type { Fault, FaultWorld } from '../fault.ts'
import type { Random } from '../random.ts'

/** Faults that somebody makes on the broker. */

const none = async (): Promise<void> => undefined

/** One object of the virtual host whose name begins with one of these is deleted; Waybill declares it again. */
const deleteOne = async ({ vhost }: FaultWorld, random: Random, what: string, isWanted: (one: Named) => boolean) => {
  const all = (await vhost.manage('GET', `/${what}/${encodeURIComponent(vhost.name)}`)) as Named[]
  const wanted = all.filter(isWanted)
  if (wanted.length === 0) return
  const one = random.pick(wanted)
  const path =
    what === 'bindings'
      ? `/bindings/${vhost.name}/e/${encodeURIComponent(one.source ?? '')}/q/${encodeURIComponent(one.destination ?? '')}/${encodeURIComponent(one.properties_key ?? '')}`
      : `/${what}/${vhost.name}/${encodeURIComponent(one.name ?? '')}`
  await vhost.manage('DELETE', path).catch(() => undefined)
}
type Named = { name?: string; source?: string; destination?: string; properties_key?: string }

export const policyDeleted: Fault = async (world, random) => {
  await deleteOne(world, random, 'policies', ({ name = '' }) => name.startsWith('waybill:'))
  return none
}

/** What comes back from a delay meanwhile is kept as an orphan. */
export const returnBindingDeleted: Fault = async (world, random) => {
  await deleteOne(world, random, 'bindings', ({ source }) => source === 'waybill.return')
  return none
}

/** The exchange of a level: copies for it are returned meanwhile, and stay where they are. */
export const levelExchangeDeleted: Fault = async (world, random) => {
  await deleteOne(world, random, 'exchanges', ({ name = '' }) => name.startsWith('waybill.delay.'))
  return none
}

export const connectionsClosed: Fault = async ({ vhost }) => {
  const all = (await vhost.manage('GET', '/connections')) as {
    name: string
    vhost: string
    user_provided_name?: string
  }[]
  for (const { name, user_provided_name: own = '' } of all.filter((one) => one.vhost === vhost.name)) {
    if (own.startsWith('waybill')) await vhost.manage('DELETE', `/connections/${encodeURIComponent(name)}`).catch(none)
  }
  return none
}

/** All nodes but one, of several: no queue has a majority of its members meanwhile. */
export const quorumLost: Fault = async ({ nodes }) => {
  if (nodes === undefined || nodes.names.length < 2) return none
  for (const node of nodes.names) await nodes.order(node, 'stop_app')
  return async () => {
    for (const node of nodes.names) await nodes.order(node, 'start_app')
  }
}

/** One node of the broker, of several or the only one. */
export const nodeStopped: Fault = async ({ nodes }, random) => {
  if (nodes === undefined) return none
  const node = random.pick(nodes.names)
  await nodes.order(node, 'stop_app')
  return () => nodes.order(node, 'start_app')
}

export const memoryAlarm: Fault = async ({ nodes }, random) => {
  if (nodes === undefined) return none
  const node = random.pick(nodes.names)
  await nodes.order(node, 'set_vm_memory_high_watermark', '0.0000001')
  return () => nodes.order(node, 'set_vm_memory_high_watermark', '0.7')
}
