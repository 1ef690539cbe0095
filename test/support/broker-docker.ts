import { execFile } from 'node:child_process'
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { Log, Reachable } from './broker.ts'
import { brokerAnswers } from './broker-answers.ts'
import { startTethered } from './tethered.ts'

const image = 'rabbitmq:4-management'
const docker = (...args: string[]) => promisify(execFile)('docker', args, { timeout: 600_000 })

/** A RabbitMQ in a container, or `undefined` without a docker daemon. */
export const dockerBroker = async (log: Log): Promise<Reachable | undefined> => {
  const answers = await docker('info').catch(() => undefined)
  if (answers === undefined) return undefined
  const present = await docker('image', 'inspect', image).catch(() => undefined)
  if (present === undefined) {
    log(`Pulling the image ${image}…`)
    await docker('pull', '--quiet', image)
  }
  log('Starting RabbitMQ in a container (about 10 s)…')
  const folder = mkdtempSync(join(tmpdir(), 'waybill-broker-'))
  const name = folder.replace(/^.*\//, '')
  const run = ['docker', 'run', '--rm', '--name', name, '-p', '127.0.0.1::5672', '-p', '127.0.0.1::15672', image]
  const container = startTethered(folder, run, process.env)
  const address = async (port: number): Promise<string> => {
    for (;;) {
      const { stdout } = await docker('port', name, String(port)).catch(() => ({ stdout: '' }))
      const found = stdout.trim().split('\n')[0]
      if (found) return found
      if (!container.running()) throw new Error(`docker could not start ${image}:\n${container.output()}`)
    }
  }
  const broker = {
    origin: `a container of ${image}`,
    amqpUrl: `amqp://guest:guest@${await address(5672)}/`,
    managementUrl: `http://${await address(15672)}`,
    stop: container.stop,
  }
  await brokerAnswers(broker, container, 5672)
  return broker
}
