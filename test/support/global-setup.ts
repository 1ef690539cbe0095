import { findBroker, type RunningBroker } from './broker.ts'
import { findApiServer } from './kubernetes/find.ts'
import { type RunningApiServer, variable } from './kubernetes/server.ts'

declare global {
  var testBroker: RunningBroker | undefined
  var testApiServer: RunningApiServer | undefined
}

const log = (line: string) => process.stderr.write(`${line}\n`)

/** Once before all tests: a broker and an API server, which every test file finds in its environment. */
export default async (): Promise<void> => {
  const [broker, apiServer] = await Promise.all([findBroker({ log }), findApiServer({ log })])
  log(`Tests run on RabbitMQ ${broker.version}, ${broker.origin}`)
  globalThis.testBroker = broker
  globalThis.testApiServer = apiServer
  process.env.RABBITMQ_URL = broker.amqpUrl
  process.env.RABBITMQ_MANAGEMENT_URL = broker.managementUrl
  delete process.env[variable]
  if (apiServer) process.env[variable] = JSON.stringify(apiServer)
}
