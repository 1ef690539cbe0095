import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { stringify } from 'yaml'
import { freePort } from '../../test/support/free-port.ts'
import { eventually } from '../../test/support/wait.ts'
import type { Contender } from '../contender.ts'
import { startProgram } from '../program.ts'

const app = 'race'
const topic = 'orders'

/**
 * Dapr's sidecar with its RabbitMQ pub/sub, delivering to an app over HTTP. Dapr names and declares the queue itself.
 */
export const dapr = (binary: string): Contender => ({
  name: 'dapr',
  async enter({ vhost, sink, folder, inFlight }) {
    const resources = join(folder, 'dapr')
    mkdirSync(resources)
    writeFileSync(join(resources, 'pubsub.yaml'), stringify(componentOf(vhost.amqpUrl, inFlight)))
    writeFileSync(join(resources, 'subscription.yaml'), stringify(subscription))
    const command = [
      binary,
      ...['--app-id', app, '--app-port', String(sink.port), '--resources-path', resources],
      ...['--dapr-listen-addresses', '127.0.0.1', '--log-level', 'error'],
      ...['--dapr-http-port', String(await freePort()), '--dapr-grpc-port', String(await freePort())],
      ...['--dapr-internal-grpc-port', String(await freePort()), '--metrics-port', String(await freePort())],
    ] as const
    const declaring = startProgram(command, { logFile: join(folder, 'declaring.log') })
    try {
      const binding = `/bindings/${encodeURIComponent(vhost.name)}/e/${topic}/q/${app}-${topic}`
      const isBound = async () => ((await vhost.manage('GET', binding)) as unknown[]).length > 0
      await eventually(isBound, { timeoutMs: 30_000, everyMs: 100 })
    } finally {
      await declaring.kill()
    }
    return { exchange: topic, routingKey: 'order.placed', style: 'structured', command }
  },
})

const componentOf = (connectionString: string, inFlight: number) => ({
  apiVersion: 'dapr.io/v1alpha1',
  kind: 'Component',
  metadata: { name: 'rabbitmq' },
  spec: {
    type: 'pubsub.rabbitmq',
    version: 'v1',
    metadata: Object.entries({
      connectionString,
      consumerID: app,
      durable: 'true',
      deletedWhenUnused: 'false',
      autoAck: 'false',
      requeueInFailure: 'true',
      prefetchCount: String(inFlight),
      concurrencyMode: 'parallel',
      exchangeKind: 'fanout',
    }).map(([name, value]) => ({ name, value })),
  },
})

const subscription = {
  apiVersion: 'dapr.io/v2alpha1',
  kind: 'Subscription',
  metadata: { name: topic },
  spec: { pubsubname: 'rabbitmq', topic, routes: { default: `/${topic}` }, metadata: { queueType: 'quorum' } },
}
