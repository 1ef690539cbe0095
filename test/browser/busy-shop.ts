import { fileURLToPath } from 'node:url'
import { ownCopy } from '../../examples/omega/demo/own-copy.ts'
import { isTrue } from '../../src/api/conditions.ts'
import { subscription } from '../../src/api/kinds/subscription.ts'
import { readToken, tokenFile } from '../../src/cli/data/token-file.ts'
import { connectProducer } from '../support/publish.ts'
import { type Answer, startSubscriber } from '../support/subscriber.ts'
import { freshVhost } from '../support/vhost.ts'
import { eventually } from '../support/wait.ts'
import { runWaybill } from '../support/waybill.ts'
import { hourMs, hurried, variable } from './clock.ts'

/** The shop of the demonstration in an hour in which billing fails for a while, mailing refuses orders, and shipping is slow. */
export type BusyShop = {
  readonly origin: string
  /** An address that logs in, once. */
  readonly login: string
  /** Lets the hour pass. */
  anHour(): Promise<void>
  /** Orders keep coming until what it returns is called. */
  keepBusy(): () => void
}

const manifests = fileURLToPath(new URL('../../examples/omega', import.meta.url))
const hurry = new URL('./hurry.ts', import.meta.url).href
const tickMs = 250

/** How each of them answers an order in this minute of the hour. */
const answers = {
  mailing: (_minute: number, order: number): Answer =>
    order % 40 === 7 ? { status: 422, body: 'no such address' } : { status: order % 90 === 11 ? 404 : 204 },
  billing: (minute: number): Answer => ({ status: minute > 20 && minute < 29 ? 503 : 204 }),
  shipping: (minute: number, order: number): Answer => {
    if (minute > 38 && minute < 43) return { status: 502, afterMs: 300 }
    return order % 25 === 3 ? { status: 400 } : { status: 204, afterMs: 30 }
  },
}

/** Everything that it starts is registered with `closing`; `state` is a folder for the token. */
export const openBusyShop = async (closing: AsyncDisposableStack, state: string): Promise<BusyShop> => {
  const began = Date.now()
  const minute = (): number => (hurried(began, Date.now()) - began + hourMs) / 60_000
  const vhost = closing.adopt(await freshVhost('waybill-pictures'), ({ drop }) => drop())
  const port = async (name: keyof typeof answers): Promise<number> => {
    const subscriber = closing.adopt(await startSubscriber(), ({ close }) => close())
    subscriber.answer(({ body }) => answers[name](minute(), (JSON.parse(body.toString()) as { order: number }).order))
    return subscriber.port
  }
  const ports = { mailing: await port('mailing'), billing: await port('billing'), shipping: await port('shipping') }
  const env = { XDG_STATE_HOME: state, NODE_OPTIONS: `--import=${hurry}`, [variable]: String(began) }
  const args = ['--resolve', '*.shop.svc=127.0.0.1']
  const folder = ownCopy(manifests, vhost, ports)
  const waybill = closing.adopt(await runWaybill(folder, { dataListen: '127.0.0.1:0', env, args }), ({ stop }) =>
    stop(),
  )
  const login = await eventually(() => /"console":"(http:[^"]+)"/.exec(waybill.logs())?.[1], { timeoutMs: 20_000 })
  await eventually(
    async () => {
      const all = await waybill.list(subscription)
      return all.length === 3 && all.every(({ status }) => isTrue(status?.conditions, 'Ready'))
    },
    { timeoutMs: 30_000 },
  )
  const { origin, port: dataPort } = new URL(login)
  const producer = closing.adopt(await connectProducer(vhost.amqpUrl), ({ close }) => close())
  const headers = { authorization: `Bearer ${readToken(tokenFile(Number(dataPort), env))}` }

  let order = 1_000
  let due = 0
  let before = minute()
  const tick = async (): Promise<void> => {
    const now = minute()
    due += (now - before) * (16 + 9 * Math.sin(now / 7) + 4 * Math.sin(now * 2.1))
    before = now
    const count = Math.floor(due)
    due -= count
    const one = () => {
      order += 1
      const options = { messageId: `order-${order}`, type: 'order.placed', contentType: 'application/json' }
      const traced = { ...options, headers: { tenant: 'blue', authorization: 'Bearer …' } }
      return {
        routingKey: 'order.placed',
        body: { order, currency: 'EUR', total: (order % 90) + 9.5 },
        options: traced,
      }
    }
    if (count > 0) await producer.publish('shop.orders', Array.from({ length: count }, one))
    // Whoever asks makes it look: its minutes pass faster than its timers.
    await fetch(`${origin}/namespaces/shop/history`, { headers })
  }

  return {
    origin,
    login,
    async anHour() {
      while (hurried(began, Date.now()) < Date.now()) {
        await tick()
        await new Promise((resolve) => setTimeout(resolve, tickMs))
      }
    },
    keepBusy() {
      const timer = setInterval(() => void tick().catch(() => undefined), 4 * tickMs)
      return () => clearInterval(timer)
    },
  }
}
