import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type ConsumeMessage, connect } from 'amqplib'
import { readToken, tokenFile } from '../../src/cli/data/token-file.ts'
import { subscriptionOf } from '../support/manifests.ts'
import { openShop, type Shop } from '../support/shop.ts'
import type { Subscriber } from '../support/subscriber.ts'
import { eventually } from '../support/wait.ts'
import type { Waybill } from '../support/waybill.ts'

export const dlq = 'waybill.dlq.shop.billing'

/** `waybill run` with its data port, and a Subscription `shop/billing` whose subscriber refuses everything. */
export type LetterShop = {
  readonly shop: Shop
  readonly waybill: Waybill
  readonly subscriber: Subscriber
  /** Base URL of the data port. */
  readonly data: string
  readonly token: string
  /** Variables with which a command finds the token. */
  readonly env: NodeJS.ProcessEnv
  /** One request to the data port; `path` starts after the subscription. */
  ask(path: string, init?: RequestInit): Promise<Response>
  /** Publishes the bodies, and waits until all are dead letters. */
  dead(bodies: readonly (string | object)[]): Promise<void>
  ready(): Promise<number>
  /** Takes so many letters out of the queue, in order, with a client that is not ours. */
  drained(count: number): Promise<ConsumeMessage[]>
  [Symbol.asyncDispose](): Promise<void>
}

export const openLetterShop = async (spec: object = {}): Promise<LetterShop> => {
  await using opening = new AsyncDisposableStack()
  const shop = opening.use(await openShop())
  const state = opening.adopt(mkdtempSync(join(tmpdir(), 'waybill-state-')), (path) =>
    rmSync(path, { recursive: true }),
  )
  const subscriber = await shop.subscriber()
  subscriber.answer(400)
  shop.folder.write('billing', [subscriptionOf('billing', 'orders', subscriber.url, spec)])
  const env = { XDG_STATE_HOME: state }
  const waybill = await shop.run({ dataListen: '127.0.0.1:0', env, args: ['--log-level', 'debug'] })
  await shop.ready(waybill, 'billing')
  const data = await eventually(() => /"dataPort":"(http:[^"]+)"/.exec(waybill.logs())?.[1])
  const token = readToken(tokenFile(Number(new URL(data).port), env)) ?? ''
  const ready = async (): Promise<number> => (await shop.producer.channel.checkQueue(dlq)).messageCount
  let count = 0
  const cleanUp = opening.move()
  return {
    ...{ shop, waybill, subscriber, data, token, env, ready },
    ask: (path, init) =>
      fetch(`${data}/namespaces/shop/subscriptions/billing/deadletters${path}`, {
        headers: { authorization: `Bearer ${token}` },
        ...init,
      }),
    async dead(bodies) {
      await shop.publish(bodies)
      count += bodies.length
      await eventually(async () => (await ready()) >= count, { timeoutMs: 60_000 })
    },
    async drained(wanted) {
      const connection = await connect(shop.vhost.amqpUrl)
      const channel = await connection.createChannel()
      const found: ConsumeMessage[] = []
      await channel.prefetch(0)
      await channel.consume(dlq, (message) => {
        if (message === null) return
        found.push(message)
        channel.ack(message)
      })
      await eventually(() => found.length >= wanted)
      await connection.close()
      return found
    },
    [Symbol.asyncDispose]: () => cleanUp.disposeAsync(),
  }
}

export const sequence = (from: number, to: number): { seq: number }[] =>
  Array.from({ length: to - from }, (_, each) => ({ seq: from + each }))
