/** The one place that knows what a version of RabbitMQ can do, as far as it matters here. */

/** What is declared differently on different versions of RabbitMQ. */
export type Dialect = {
  /**
   * The delivery limit that quorum queues are given so that it is never reached; `undefined` where they have none unless one is
   * set. From 4.0 the default is 20. Before 4.3 a limit must be finite, or a message that is requeued goes to the tail.
   */
  readonly deliveryLimit: number | undefined
}

const greatest = 2_147_483_647

/** The dialect of a RabbitMQ version such as `4.3.6`. */
export const dialectOf = (version: string): Dialect => ({
  deliveryLimit: isAtLeast(version, '4.3.0') ? -1 : isAtLeast(version, '4.0.0') ? greatest : undefined,
})

/** Whether a quorum queue with this delivery limit in force gives up no message by itself. */
export const isNeverReached = (deliveryLimit: number): boolean => deliveryLimit < 0 || deliveryLimit >= greatest

/** The dialect to check resources with while no broker has said its version. */
export const newestDialect: Dialect = { deliveryLimit: -1 }

/** The oldest version with at-least-once dead lettering, without which a delayed message may be lost. */
export const oldestSupported = '3.10.0'

/** Whether Waybill works with this version of RabbitMQ. */
export const isSupported = (version: string): boolean => isAtLeast(version, oldestSupported)

type Version = readonly [major: number, minor: number, patch: number]

const parts = (text: string): Version => {
  const [major = 0, minor = 0, patch = 0] = text.split(/[.+-]/).map((part) => Number.parseInt(part, 10) || 0)
  return [major, minor, patch]
}

/** Whether version `text` is `bound` or later. */
const isAtLeast = (text: string, bound: string): boolean => {
  const [found, wanted] = [parts(text), parts(bound)]
  for (const index of [0, 1, 2] as const) {
    if (found[index] !== wanted[index]) return found[index] > wanted[index]
  }
  return true
}

const since = [
  ['3.10.0', 'AtLeastOnceDeadLetters'],
  ['4.0.0', 'DefaultDeliveryLimit'],
  ['4.3.1', 'NativeDelayedRetry'],
] as const

/** What this version can do that others cannot, for `status.capabilities` of a Broker. */
export const capabilitiesOf = (version: string): string[] =>
  since.filter(([bound]) => isAtLeast(version, bound)).map(([, capability]) => capability)

/** https://github.com/rabbitmq/rabbitmq-server/tree/main/release-notes */
const faults = [
  {
    from: '4.3.0',
    fixed: '4.3.1',
    text: 'at-least-once dead lettering may run on the wrong member (rabbitmq-server#16203)',
  },
  {
    from: '4.3.0',
    fixed: '4.3.3',
    text: 'delayed messages may stop after a membership change (rabbitmq-server#16652)',
  },
] as const

/** Faults of this version that matter to delivery, each with the version that fixes it. */
export const knownIssuesOf = (version: string): string[] =>
  faults
    .filter(({ from, fixed }) => isAtLeast(version, from) && !isAtLeast(version, fixed))
    .map(({ text, fixed }) => `${text}; fixed in ${fixed}`)
