/** What queues and exchanges need, whatever the resources are, so that nothing is lost in them. */

export type Declared = {
  readonly name: string
  readonly arguments: Readonly<Record<string, unknown>>
}

const quorum = { 'x-queue-type': 'quorum', 'x-overflow': 'reject-publish' }
const ladder = { ...quorum, 'x-dead-letter-exchange': 'waybill.return', 'x-dead-letter-strategy': 'at-least-once' }
const unitMs: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 }

/** `1h30m` as `waybill.delay.1h30m` means it. */
const delayOf = (text: string): number =>
  [...text.matchAll(/(\d+)(ms|s|m|h)/g)].reduce(
    (sum, [, count, unit = '']) => sum + Number(count) * (unitMs[unit] ?? 0),
    0,
  )

const needsOfQueue = (name: string): object | undefined => {
  const [, role = '', rest = ''] = /^waybill\.(sub|retry|dlq|unrouted|orphans|discarded|delay)\.?(.*)$/.exec(name) ?? []
  if (role === 'sub' || role === 'retry')
    return { ...quorum, 'x-dead-letter-exchange': '', 'x-dead-letter-routing-key': `waybill.dlq.${rest}` }
  if (role === 'delay') return { ...ladder, 'x-message-ttl': delayOf(rest) }
  return role === '' ? undefined : quorum
}

const needsOfExchange = (name: string): object | undefined => {
  if (name === 'waybill.return') return { 'alternate-exchange': 'waybill.orphans' }
  return name.startsWith('waybill.') ? undefined : { 'alternate-exchange': `waybill.unrouted.${name}` }
}

/** A line for each argument that one of these lacks, or has otherwise. */
export const unmet = (queues: readonly Declared[], exchanges: readonly Declared[]): string[] => [
  ...queues.flatMap((one) => lacking(one, needsOfQueue(one.name))),
  ...exchanges.flatMap((one) => lacking(one, needsOfExchange(one.name))),
]

const lacking = ({ name, arguments: has }: Declared, needs: object = {}): string[] =>
  Object.entries(needs)
    .filter(([argument, value]) => has[argument] !== value)
    .map(([argument, value]) => `${name} has ${argument} ${has[argument]} instead of ${value}`)
