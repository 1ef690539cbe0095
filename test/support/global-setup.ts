import { findBroker, type RunningBroker } from './broker.ts'

declare global {
  var testBroker: RunningBroker | undefined
}

/** Once before all tests: a broker, whose addresses every test file finds in its environment. */
export default async (): Promise<void> => {
  const broker = await findBroker({ log: (line) => process.stderr.write(`${line}\n`) })
  globalThis.testBroker = broker
  process.env.RABBITMQ_URL = broker.amqpUrl
  process.env.RABBITMQ_MANAGEMENT_URL = broker.managementUrl
}
