import { freePort } from '../../test/support/free-port.ts'
import type { Contender } from '../contender.ts'
import { putQuorumQueue } from '../put-quorum-queue.ts'

const queue = 'race'

/** The dispatcher of Knative's RabbitMQ broker; a cluster runs one process of it for each Trigger. */
export const knative = (binary: string): Contender => ({
  name: 'knative',
  async enter({ vhost, sink, inFlight }) {
    await putQuorumQueue(vhost, queue)
    const logging = { level: 'warn', encoding: 'json', outputPaths: ['stderr'], errorOutputPaths: ['stderr'] }
    return {
      exchange: '',
      routingKey: queue,
      style: 'ce-',
      command: [binary],
      env: {
        RABBIT_URL: vhost.amqpUrl,
        QUEUE_NAME: queue,
        SUBSCRIBER: sink.url,
        // The destination of replies; the sink sends none.
        BROKER_INGRESS_URL: sink.url,
        PARALLELISM: String(inFlight),
        RETRY: '3',
        BACKOFF_POLICY: 'exponential',
        METRICS_PROMETHEUS_PORT: String(await freePort()),
        NAMESPACE: 'shop',
        POD_NAME: 'race',
        CONTAINER_NAME: 'dispatcher',
        K_OBSERVABILITY_CONFIG: '{}',
        K_LOGGING_CONFIG: JSON.stringify({ 'zap-logger-config': JSON.stringify(logging) }),
      },
    }
  },
})
