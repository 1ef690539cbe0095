import { findBroker, type RunningBroker } from './broker.ts'
import { findApiServer } from './kubernetes/find.ts'
import { type RunningApiServer, variable } from './kubernetes/server.ts'

declare global {
  var testBroker: RunningBroker | undefined
  var testApiServer: RunningApiServer | undefined
}

const log = (line: string) => process.stderr.write(`${line}\n`)

/**
 * Runs once before all tests: starts a broker and an API server, and passes them to the test files in the environment.
 */
export default async (): Promise<void> => {
  const [broker, apiServer] = await Promise.all([findBroker({ log }), findApiServer({ log })])
  log(`The tests use RabbitMQ ${broker.version} (${broker.origin})`)
  globalThis.testBroker = broker
  globalThis.testApiServer = apiServer
  process.env.RABBITMQ_URL = broker.amqpUrl
  process.env.RABBITMQ_MANAGEMENT_URL = broker.managementUrl
  delete process.env[variable]
  if (apiServer) process.env[variable] = JSON.stringify(apiServer)
}
