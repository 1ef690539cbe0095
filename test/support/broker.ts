import { aptInstalled } from './broker-apt.ts'
import { dockerBroker } from './broker-docker.ts'
import { nodeBroker, serverCommand } from './broker-node.ts'

export type RunningBroker = {
  /** Such as 3.10.8. */
  readonly version: string
  /** Where this broker comes from, for the log. */
  readonly origin: string
  readonly amqpUrl: string
  readonly managementUrl: string
  /** Stops the broker if it was started here; one that was already running is left alone. */
  stop(): Promise<void>
}

export type Log = (line: string) => void

/**
 * Finds the RabbitMQ of `RABBITMQ_URL` and `RABBITMQ_MANAGEMENT_URL`, else starts a private one from the installed
 * `rabbitmq-server`, from docker, or from Debian's packages.
 *
 * @throws when there is none; the message says what to do
 */
export const findBroker = async ({ log }: { log: Log }): Promise<RunningBroker> => {
  const broker = await reachableBroker(log)
  return { ...broker, version: await versionOf(broker) }
}

/** A broker whose version has not been read yet. */
export type Reachable = Omit<RunningBroker, 'version'>

const reachableBroker = async (log: Log): Promise<Reachable> => {
  const given = givenBroker(process.env)
  if (given) return given
  const installed = serverCommand()
  if (installed) return nodeBroker(installed, log)
  const contained = await dockerBroker(log)
  if (contained) return contained
  if (await aptInstalled(log)) {
    const command = serverCommand()
    if (command) return nodeBroker(command, log)
  }
  throw new Error(
    'No RabbitMQ found. Install rabbitmq-server, start docker, or set the addresses of a running broker:\n' +
      '  export RABBITMQ_URL=amqp://guest:guest@127.0.0.1:5672/ RABBITMQ_MANAGEMENT_URL=http://127.0.0.1:15672',
  )
}

const givenBroker = (env: NodeJS.ProcessEnv): Reachable | undefined => {
  const { RABBITMQ_URL: amqpUrl, RABBITMQ_MANAGEMENT_URL: managementUrl } = env
  if (!amqpUrl && !managementUrl) return undefined
  if (!amqpUrl || !managementUrl) {
    throw new Error('Set both RABBITMQ_URL and RABBITMQ_MANAGEMENT_URL, or neither')
  }
  return { origin: 'from RABBITMQ_URL', amqpUrl, managementUrl, stop: async () => {} }
}

const versionOf = async ({ amqpUrl, managementUrl, stop }: Reachable): Promise<string> => {
  const { username, password } = new URL(amqpUrl)
  const user = `${decodeURIComponent(username || 'guest')}:${decodeURIComponent(password || 'guest')}`
  try {
    const answer = await fetch(`${managementUrl}/api/overview`, {
      headers: { authorization: `Basic ${Buffer.from(user).toString('base64')}` },
      signal: AbortSignal.timeout(10_000),
    })
    if (!answer.ok) throw new Error(`it answered ${answer.status}`)
    return ((await answer.json()) as { rabbitmq_version: string }).rabbitmq_version
  } catch (cause) {
    await stop()
    throw new Error(`Cannot use the management API on ${new URL(managementUrl).origin}: is RabbitMQ running?`, {
      cause,
    })
  }
}
