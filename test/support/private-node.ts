import { type NodeBroker, nodeBroker, serverCommand } from './broker-node.ts'

/**
 * A RabbitMQ node for the tests of one file alone, which may restart it or set it up by `settings`. The file's virtual hosts are
 * made on it. `testWithNode` skips where there is no `rabbitmq-server`.
 */
export const privateNode = (settings?: Parameters<typeof nodeBroker>[2]) => {
  const command = serverCommand()
  let broker: NodeBroker | undefined

  beforeAll(async () => {
    if (command === undefined) return
    broker = await nodeBroker(command, () => undefined, settings)
    process.env.RABBITMQ_URL = broker.amqpUrl
    process.env.RABBITMQ_MANAGEMENT_URL = broker.managementUrl
  }, 60_000)
  afterAll(() => broker?.stop())

  return {
    testWithNode: command === undefined ? test.skip : test,
    restart: async (): Promise<void> => broker?.restart(),
  }
}
