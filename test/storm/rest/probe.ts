import { connect } from 'amqplib'
import { check } from '../../history/check.ts'
import type { Terms } from '../../history/history.ts'
import { contentOf } from '../../history/recorder.ts'
import { eventually } from '../../support/wait.ts'
import { marks, routingKeys, type TopicName } from '../plan.ts'
import type { World } from '../world.ts'

const probes: readonly (readonly [TopicName, string])[] = [
  ...routingKeys.map((key) => ['orders', key] as const),
  ['news', 'order.placed'],
  ...marks.map((mark) => ['marked', mark] as const),
]

/**
 * Publishes one more message of each kind, and waits until each is where it must come: what is Ready delivers. What did not come
 * is found in the history.
 */
export const probe = async ({ vhost, recorder, ground }: World, terms: readonly Terms[]): Promise<void> => {
  const connection = await connect(vhost.amqpUrl)
  const channel = await connection.createConfirmChannel()
  const before = recorder.entries.length
  for (const [index, [topic, routingKey]] of probes.entries()) {
    const id = `probe${index}`
    const exchange = `${ground.namespace}.${topic}`
    const body = Buffer.from(id)
    recorder.published(id, { exchange, routingKey, content: contentOf(body), isSendable: true })
    channel.publish(exchange, routingKey, body, { messageId: id, headers: { mark: routingKey } })
    await channel.waitForConfirms()
    recorder.publishEnded(id, 'confirmed')
  }
  await connection.close()
  const isDelivered = () =>
    !check({ entries: recorder.entries.slice(before), terms, isAtRest: false }).some(({ fault }) => fault === 'lost')
  await eventually(isDelivered, { timeoutMs: 30_000, everyMs: 250 }).catch(() => undefined)
}
