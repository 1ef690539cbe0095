import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { broker } from '../../src/api/kinds/broker.ts'
import { subscription } from '../../src/api/kinds/subscription.ts'
import { cert, key } from '../http/self-signed.ts'
import { type ClusterShop, openClusterShop } from '../support/cluster-shop.ts'
import { brokerOf, subscriptionOf, topicOf } from '../support/manifests.ts'
import type { Producer } from '../support/publish.ts'
import { type Subscriber, startSubscriber } from '../support/subscriber.ts'
import { eventually } from '../support/wait.ts'
import type { Command } from '../support/waybill.ts'

type Messages = Parameters<Producer['publish']>[1]

export type ClusterLettersOptions = {
  readonly messages: Messages
  /** Of the dispatcher. */
  readonly args: readonly string[]
  /** Called before any process starts. */
  prepare?(shop: ClusterShop, cleanUp: AsyncDisposableStack): Promise<void>
}

/** Waybill on an API server, with a data port over TLS and a Subscription `billing` that has these messages as dead letters. */
export type ClusterLetters = {
  readonly shop: ClusterShop
  readonly subscriber: Subscriber
  readonly dispatcher: Command
  /** Has `tls.crt` and `tls.key`, and is there for more. */
  readonly folder: string
}

export const openClusterLetters = async (
  { messages, args, prepare }: ClusterLettersOptions,
  cleanUp: AsyncDisposableStack,
): Promise<ClusterLetters> => {
  const folder = cleanUp.adopt(mkdtempSync(join(tmpdir(), 'waybill-letters-')), (path) =>
    rmSync(path, { recursive: true }),
  )
  writeFileSync(join(folder, 'tls.crt'), cert)
  writeFileSync(join(folder, 'tls.key'), key)
  const subscriber = cleanUp.adopt(await startSubscriber(), ({ close }) => close())
  subscriber.answer(400)
  const shop = cleanUp.use(await openClusterShop({ dispatcher: { data: { enabled: true, tlsSecretName: 'tls' } } }))
  await prepare?.(shop, cleanUp)
  await shop.start('operator')
  const tls = ['--data-tls-cert', join(folder, 'tls.crt'), '--data-tls-key', join(folder, 'tls.key')]
  const dispatcher = await shop.start('dispatcher', {
    args: ['--allow-loopback', '--data-listen', '127.0.0.1:0', ...args, ...tls],
  })
  await shop.own.apply([
    ...brokerOf(shop.vhost),
    topicOf('orders'),
    // One at a time, so that they are dead letters in the order of their publication.
    subscriptionOf('billing', 'orders', subscriber.url, { delivery: { concurrency: 1 } }),
  ])
  await shop.condition(broker, 'rabbitmq', 'Connected', 'True')
  await shop.condition(subscription, 'billing', 'Ready', 'True')
  await shop.producer.publish(`${shop.own.name}.orders`, messages)
  await eventually(async () => {
    const { messageCount } = await shop.producer.channel.checkQueue(`waybill.dlq.${shop.own.name}.billing`)
    return messageCount === messages.length
  })
  return { shop, subscriber, dispatcher, folder }
}
