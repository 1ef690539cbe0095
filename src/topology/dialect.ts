/** What differs between the versions of RabbitMQ, as far as it matters here. */

type Version = readonly [major: number, minor: number, patch: number]

export const oldestSupported = '3.10.0'

const parts = (text: string): Version => {
  const [major = 0, minor = 0, patch = 0] = text.split(/[.+-]/).map((part) => Number.parseInt(part, 10) || 0)
  return [major, minor, patch]
}

/** Whether version `text` is `bound` or later. */
export const isAtLeast = (text: string, bound: string): boolean => {
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

export const capabilitiesOf = (version: string): string[] =>
  since.filter(([bound]) => isAtLeast(version, bound)).map(([, capability]) => capability)

/** https://github.com/rabbitmq/rabbitmq-server/tree/main/release-notes */
const faults = [
  {
    from: '4.3.0',
    mended: '4.3.1',
    text: 'at-least-once dead lettering may run on the wrong member (rabbitmq-server#16203)',
  },
  {
    from: '4.3.0',
    mended: '4.3.3',
    text: 'delayed messages may stop after a membership change (rabbitmq-server#16652)',
  },
] as const

export const knownIssuesOf = (version: string): string[] =>
  faults
    .filter(({ from, mended }) => isAtLeast(version, from) && !isAtLeast(version, mended))
    .map(({ text, mended }) => `${text}; mended in ${mended}`)
