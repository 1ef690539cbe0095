import type { GetMessage, Message, Options } from 'amqplib'
import { eventually } from '../support/wait.ts'
import type { Ground } from './ground.ts'

/** What the dead letters of each cause look like, as Waybill itself makes them. */
const causes = [400, 422, 418] as const
export type Cause = (typeof causes)[number]

const atATime = 2_000

/**
 * Fills the dead-letter queue: `count` letters with `bytes` of body, numbered by their header `soak-number`. They are copies of
 * real ones, with ids of their own, because to fail a million deliveries would take longer than to look at them.
 */
export const fill = async (
  ground: Ground,
  count: number,
  bytes: number,
  causeOf: (number: number) => Cause,
): Promise<void> => {
  const templates = await realLetters(ground)
  const { channel } = ground.producer
  const body = Buffer.alloc(bytes, 'x')
  for (let number = 0; number < count; ) {
    for (const end = Math.min(count, number + atATime); number < end; number += 1) {
      const template = templates.get(causeOf(number)) as Options.Publish
      const headers = { ...(template.headers as object), 'soak-number': number }
      body.write(`${number} `)
      const options = { ...template, headers, messageId: `letter-${number}` }
      channel.publish('', ground.dlq, Buffer.from(body), options)
    }
    await channel.waitForConfirms()
  }
  await eventually(async () => (await ground.ready()) >= count, { timeoutMs: 30_000 })
}

const realLetters = async ({ sinks, producer, dlq }: Ground): Promise<Map<Cause, Options.Publish>> => {
  const { channel } = producer
  sinks.big.receive(() => 'refuse')
  await producer.publish('shop.big', [{ body: 'template' }])
  const letter = await eventually(async () => (await channel.get(dlq)) || undefined, { timeoutMs: 20_000 })
  channel.ack(letter)
  sinks.big.receive(() => undefined)
  return new Map(causes.map((cause) => [cause, as(letter, cause)]))
}

const as = ({ properties }: GetMessage, cause: Cause): Options.Publish => {
  const { headers, ...rest } = properties
  const given = Object.fromEntries(
    Object.entries({ ...rest }).filter(([, value]) => value !== undefined),
  ) as Options.Publish
  const error = `The subscriber answered ${cause}`
  return { ...given, persistent: true, headers: { ...headers, 'waybill-status': cause, 'waybill-error': error } }
}

export const numberOf = ({ properties }: Message): number => Number(properties.headers?.['soak-number'])
