import { restoredCopy } from '../../../src/delivery/message/copy.ts'
import { storing } from '../../../src/dispatcher/letters/store-copies.ts'
import type { Held } from '../../../src/rabbit/amqp/holding/hold.ts'
import { createLog } from '../../../src/telemetry/log.ts'
import { messageOf } from '../../delivery/samples.ts'
import { connectProducer, type Producer } from '../../support/publish.ts'
import { freshVhost, type Vhost } from '../../support/vhost.ts'
import { eventually } from '../../support/wait.ts'

let vhost: Vhost
let producer: Producer
beforeAll(async () => {
  vhost = await freshVhost()
  producer = await connectProducer(vhost.amqpUrl)
})
afterAll(async () => {
  await producer.close()
  await vhost.drop()
})

test('a copy that the broker does not take is waited for no longer than the job is wanted', async () => {
  await producer.channel.assertQueue('full', { maxLength: 0, arguments: { 'x-overflow': 'reject-publish' } })
  let isWanted = true
  let problem: string | undefined
  const log = createLog({ level: 'error', to: { write: () => undefined } })
  const blocked = (message: string): void => {
    problem = message
  }
  const options = { endpoint: vhost.endpoint, log, isWanted: () => isWanted }
  const copies = storing(options, blocked, new AbortController().signal)
  const stored = copies.store({ lost: false } as Held, restoredCopy(messageOf(), 'full'))
  await eventually(() => problem)
  isWanted = false
  const tooLate = new Promise((resolve) => setTimeout(resolve, 20_000, 'too late').unref())
  expect(await Promise.race([stored, tooLate])).toBe(false)
  await copies.close()
})
