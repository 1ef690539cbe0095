import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { refuse } from '../../bench/option.ts'

/** Brokers that several programs of this machine use; a checkout may have none. */
export const shared = fileURLToPath(new URL('../../../shared/brokers/', import.meta.url))

/** Names the broker to everything that opens virtual hosts, by the environment. */
export const useShared = async (name: string): Promise<void> => {
  const up = join(shared, 'up')
  if (!existsSync(up)) refuse(`--broker needs ../shared/brokers; else set RABBITMQ_URL and RABBITMQ_MANAGEMENT_URL`)
  const { stdout } = await promisify(execFile)('bash', [
    '-c',
    `eval "$("$0" "$1")" && echo "$RABBITMQ_URL $RABBITMQ_MANAGEMENT_URL"`,
    up,
    name,
  ])
  const [amqp, management] = stdout.trim().split(' ')
  Object.assign(process.env, { RABBITMQ_URL: amqp, RABBITMQ_MANAGEMENT_URL: management })
}
