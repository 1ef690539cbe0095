import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { stringify } from 'yaml'
import type { Contender } from '../contender.ts'
import { putQuorumQueue } from '../put-quorum-queue.ts'

const queue = 'race'

/** Bento with one pipeline, from the queue to the sink, and attributes as headers. */
export const bento = (binary: string): Contender => ({
  name: 'bento',
  async enter({ vhost, sink, folder, inFlight }) {
    await putQuorumQueue(vhost, queue)
    const config = join(folder, 'bento.yaml')
    const headers = {
      'content-type': 'application/json',
      'ce-specversion': '1.0',
      'ce-id': '${! metadata("amqp_message_id") }',
      'ce-type': '${! metadata("amqp_type") }',
      'ce-source': '/bench',
    }
    const pipeline = {
      http: { enabled: false },
      logger: { level: 'WARN' },
      input: { amqp_0_9: { urls: [vhost.amqpUrl], queue, prefetch_count: inFlight } },
      output: { http_client: { url: sink.url, verb: 'POST', headers, max_in_flight: inFlight } },
    }
    writeFileSync(config, stringify(pipeline))
    return { exchange: '', routingKey: queue, style: 'cloudEvents:', command: [binary, '-c', config] }
  },
})
