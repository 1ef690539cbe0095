import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { findBroker } from '../../../test/support/broker.ts'
import { type LaptopShop, openLaptopShop } from './laptop-shop.ts'
import { poisonOrder } from './poison-order.ts'
import { type Say, terminal } from './say.ts'
import { sentOrNotSent } from './sent-or-not-sent.ts'
import { shippingDown } from './shipping-down.ts'

const help = `npm start              shows three failures in a shop, on a real RabbitMQ; exits 0 if every check passes
npm start -- --stay    keeps everything running afterwards, until Ctrl-C

Uses the broker of RABBITMQ_URL and RABBITMQ_MANAGEMENT_URL if they are set; otherwise starts a private one, with the
rabbitmq-server on PATH, docker, or Debian's packages. Nothing is left running.
`

/** Starts everything that takes part and registers it with `closing`. */
const open = async (say: Say, closing: AsyncDisposableStack, logFile: string): Promise<LaptopShop> => {
  say.title('Setup: a shop whose orders go to three subscribers, Mailing, Billing and Shipping')
  const broker = await findBroker({ log: say.now })
  closing.defer(broker.stop)
  process.env.RABBITMQ_URL = broker.amqpUrl
  process.env.RABBITMQ_MANAGEMENT_URL = broker.managementUrl
  const shop = await openLaptopShop(closing, logFile)
  const { ports, vhost } = shop
  say.now(`RabbitMQ ${broker.version} is running (${broker.origin}); virtual host ${vhost.name}`)
  say.now(`Mailing, Billing and Shipping are HTTP servers on ports ${Object.values(ports).join(', ')}`)
  await shop.startWaybill()
  say.now(
    "Waybill is running, all subscriptions are ready: waybill run -f examples/omega --resolve '*.shop.svc=127.0.0.1'",
  )
  say.quote(await shop.table())
  return shop
}

const demonstrate = async (say: Say, closing: AsyncDisposableStack, logFile: string): Promise<LaptopShop> => {
  const shop = await open(say, closing, logFile)
  for (const story of [sentOrNotSent, shippingDown, poisonOrder]) await story(shop, say)
  const failures = say.failures()
  say.title(failures.length === 0 ? 'All checks passed.' : `${failures.length} failed: ${failures.join('; ')}.`)
  return shop
}

const showAddresses = (shop: LaptopShop, say: Say): void => {
  const { vhost } = shop
  const server = shop.server()
  const { username } = vhost.endpoint
  say.title('Everything keeps running. Press Ctrl-C to stop.')
  say.quote(`resources  npm run --silent waybill -- get --server ${server}
console    ${shop.console()} (good for once)
metrics    ${server}/metrics
RabbitMQ   ${vhost.managementUrl}/#/queues?vhost=${vhost.name}
           user ${username}, ${username === 'guest' ? 'password guest' : 'password as in RABBITMQ_URL'}`)
}

const { values: options } = parseArgs({ options: { stay: { type: 'boolean' }, help: { type: 'boolean', short: 'h' } } })
if (options.help) {
  process.stdout.write(help)
  process.exit(0)
}
const interruption = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => interruption.abort())
const interrupted = once(interruption.signal, 'abort').then(() => 'interrupted' as const)
const say = terminal((line) => {
  if (!interruption.signal.aborted) process.stdout.write(`${line}\n`)
})
const closing = new AsyncDisposableStack()
const logFolder = mkdtempSync(join(tmpdir(), 'waybill-log-'))
const logFile = join(logFolder, 'waybill.log')

const result = await Promise.race([demonstrate(say, closing, logFile), interrupted]).catch((error: Error) => error)
const failed = result instanceof Error || say.failures().length > 0
if (result instanceof Error) console.error(result)
else if (result !== 'interrupted' && options.stay) {
  showAddresses(result, say)
  await interrupted
}
await Promise.race([closing.disposeAsync(), delay(10_000)])
if (failed) console.error(`The log of Waybill: ${logFile}`)
else rmSync(logFolder, { recursive: true, force: true })
process.exit(result === 'interrupted' ? 130 : failed ? 1 : 0)
