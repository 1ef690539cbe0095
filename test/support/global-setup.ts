import { findBroker, type RunningBroker } from './broker.ts'

declare global {
  var testBroker: RunningBroker | undefined
}

/** Once before all tests: a broker, whose addresses every test file finds in its environment. */
export default async (): Promise<void> => {
  const log = (line: string) => process.stderr.write(`${line}\n`)
  const broker = await findBroker({ log })
  log(`Tests run on RabbitMQ ${broker.version}, ${broker.origin}`)
  globalThis.testBroker = broker
  process.env.RABBITMQ_URL = broker.amqpUrl
  process.env.RABBITMQ_MANAGEMENT_URL = broker.managementUrl
}
