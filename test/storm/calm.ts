import { setTimeout as delay } from 'node:timers/promises'
import { type Channel, type ConsumeMessage, connect, type MessageProperties } from 'amqplib'
import type { Found, Letter } from '../history/history.ts'
import { contentOf } from '../history/recorder.ts'
import { amqpRecorder } from '../support/amqp-recorder.ts'
import { eventually } from '../support/wait.ts'
import { endAll, endPeriods, moveTo } from './edits.ts'
import type { World } from './world.ts'

export type QueueState = { readonly name: string; readonly messages?: number; readonly consumers?: number }

export const queuesOf = async ({ vhost }: World): Promise<QueueState[]> =>
  (await vhost.manage('GET', `/queues/${vhost.name}?columns=name,messages,consumers`)) as QueueState[]

const isDelivered = (name: string): boolean => /^waybill\.(sub|retry|delay)\.|^waybill\.orphans$|\.q-s\d+$/.test(name)

/** Ends all that disturbs, and waits until nothing is under way any more. Returns whether that came. */
export const calmDown = async (world: World, say: (line: string) => void): Promise<boolean> => {
  for (const [name, one] of world.live) {
    one.subscriber.mood = 'well'
    await moveTo(one, undefined)
    one.spec.suspend = false
    endAll(one.suspended, world.recorder.now())
    one.isDeleted = false
    await world.write(name)
  }
  await world.retain(undefined)
  await world.ground.start()
  const isQuiet = async (): Promise<boolean> => {
    const left = (await queuesOf(world)).filter(({ name, messages }) => isDelivered(name) && messages !== 0)
    const known = await connectAndCount(world)
    if (left.length > 0 || known > 0)
      say(`waiting for ${left.map(({ name, messages }) => `${name} (${messages})`).join(', ') || `${known} messages`}`)
    return left.length === 0 && known === 0
  }
  try {
    await eventually(() => world.isReady(), { timeoutMs: 120_000, everyMs: 500 })
    for (const one of world.live.values()) endPeriods(one, world.recorder.now() + 2_000)
    // The management API counts every 5 s.
    await eventually(isQuiet, { timeoutMs: 180_000, everyMs: 2_000 })
    await delay(6_000)
    return await eventually(isQuiet, { timeoutMs: 60_000, everyMs: 2_000 })
  } catch (error) {
    say(`It did not come to rest: ${(error as Error).message.slice(0, 200)}`)
    return false
  }
}

/** How many messages are ready in the queues that are delivered from, as the broker counts them now. */
const connectAndCount = async (world: World): Promise<number> => {
  const connection = await connect(world.vhost.amqpUrl)
  const channel = await connection.createChannel()
  let count = 0
  for (const { name } of await queuesOf(world))
    if (isDelivered(name)) count += (await channel.checkQueue(name)).messageCount
  await connection.close()
  return count
}

const roles: readonly (readonly [RegExp, Found['role']])[] = [
  [/^waybill\.sub\.[^.]+\.(.+)$/, 'source'],
  [/^[^.]+\.q-(.+)$/, 'source'],
  [/^waybill\.retry\.[^.]+\.(.+)$/, 'retry'],
  [/^waybill\.dlq\.[^.]+\.(.+)$/, 'dead-letters'],
  [/^waybill\.delay\./, 'level'],
  [/^waybill\.unrouted\./, 'unrouted'],
  [/^waybill\.orphans$/, 'orphans'],
]

/** The messages of a queue, of which there are at least so many. */
const taken = async (channel: Channel, queue: string, count: number): Promise<ConsumeMessage[]> => {
  const messages: ConsumeMessage[] = []
  if (count === 0) return messages
  const { consumerTag } = await channel.consume(queue, (message) => {
    if (message === null) return
    messages.push(message)
    // A quorum queue hands out no more than 2,000 that are not acknowledged.
    channel.ack(message)
  })
  await eventually(() => messages.length >= count, { timeoutMs: 30_000 })
  await delay(200)
  await channel.cancel(consumerTag)
  return messages
}

/**
 * Takes every message out of every queue, and records it. A dispatcher that just looks at the letters of a queue holds some of
 * them, and they are back after that: so it takes until nothing is found any more.
 */
export const collect = async (world: World): Promise<void> => {
  while ((await collectOnce(world)) > 0) await delay(7_000)
}

/** Returns how many there were. */
const collectOnce = async (world: World): Promise<number> => {
  let count = 0
  const { amqpUrl, endpoint } = world.vhost
  const wire = await amqpRecorder(endpoint.amqp)
  const through = new URL(amqpUrl)
  through.host = `127.0.0.1:${wire.port}`
  const connection = await connect(through.href)
  const channel = await connection.createChannel()
  for (const { name } of await queuesOf(world)) {
    const [pattern, role] = roles.find(([one]) => one.test(name)) ?? [undefined, 'other' as const]
    const own = pattern?.exec(name)?.[1]
    const { messageCount } = await channel.checkQueue(name)
    wire.properties.length = 0
    count += messageCount
    for (const [index, got] of (await taken(channel, name, messageCount)).entries()) {
      const { properties, content, fields } = got
      const whose = own ?? /^waybill\.(?:retry|sub)\.[^.]+\.(.+)$/.exec(fields.routingKey)?.[1]
      world.recorder.found({
        ...{ queue: name, role, id: String(properties.messageId), content: contentOf(content, wire.properties[index]) },
        ...(role === 'unrouted' ? { exchange: name.replace('waybill.unrouted.', '') } : {}),
        ...(role === 'dead-letters' ? { letter: letterOf(properties.headers) } : {}),
        ...(whose === undefined || role === 'unrouted' ? {} : { subscription: `${world.ground.namespace}/${whose}` }),
      })
    }
  }
  await channel.close()
  await connection.close()
  await wire.close()
  return count
}

/** What a dead letter says; nothing where it has no headers of Waybill's, as those that the broker gives up. */
const letterOf = (headers: MessageProperties['headers']): Letter | undefined => {
  const text = (name: string): string => String(headers?.[`waybill-${name}`])
  if (headers?.['waybill-reason'] === undefined) return undefined
  const status = headers['waybill-status']
  return {
    ...{ subscription: text('subscription'), reason: text('reason'), attempts: Number(text('attempts')) },
    ...{ exchange: text('exchange'), routingKey: text('routing-key') },
    status: status === undefined ? undefined : Number(status),
  }
}
