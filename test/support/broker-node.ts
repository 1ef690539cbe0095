import { execFile } from 'node:child_process'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { promisify } from 'node:util'
import type { Log, Reachable } from './broker.ts'
import { brokerAnswers } from './broker-answers.ts'
import { isFree } from './free-port.ts'
import { startTethered } from './tethered.ts'

/**
 * The path of rabbitmq-server. Debian's own script is preferred to the wrapper on PATH, which requires another user.
 */
export const serverCommand = (): string | undefined =>
  ['/usr/lib/rabbitmq/bin', ...(process.env.PATH ?? '').split(delimiter)]
    .map((folder) => join(folder, 'rabbitmq-server'))
    .find((file) => existsSync(file))

export type NodeBroker = Reachable & {
  /** Stops RabbitMQ, which drops all connections, and starts it again on its data. */
  restart(): Promise<void>
}

/** Settings of the application `rabbit` in Erlang, such as `consumer_timeout`. */
export type Settings = Readonly<Record<string, number>>

/** A private RabbitMQ node with its own ports, name, cookie, port mapper (epmd) and data; all are removed on stop. */
export const nodeBroker = async (command: string, log: Log, settings: Settings = {}): Promise<NodeBroker> => {
  log('Starting a private RabbitMQ node (about 5 s)…')
  const { folder, ports } = await reserveFolder()
  writeFileSync(join(folder, 'rabbitmq.conf'), configuration(ports))
  writeFileSync(join(folder, 'enabled_plugins'), '[rabbitmq_management].\n')
  writeFileSync(join(folder, 'rabbitmq-env.conf'), '')
  // epmd in the foreground stays in the process group that is stopped as a whole; one started by RabbitMQ would leave
  // it.
  const start = `epmd -port ${ports.epmd} & exec "$0"`
  const node = startTethered(folder, ['sh', '-c', start, command], environment(folder, ports, settings))
  const control = (order: string) =>
    promisify(execFile)(join(dirname(command), 'rabbitmqctl'), [order], { env: environment(folder, ports) })
  const broker: NodeBroker = {
    origin: 'a private node',
    amqpUrl: `amqp://guest:guest@127.0.0.1:${ports.amqp}/`,
    managementUrl: `http://127.0.0.1:${ports.management}`,
    stop: node.stop,
    async restart() {
      await control('stop_app')
      await control('start_app')
      await brokerAnswers(broker, node)
    },
  }
  await brokerAnswers(broker, node)
  return broker
}

type Ports = { readonly amqp: number; readonly management: number; readonly dist: number; readonly epmd: number }

/** Creating the folder reserves its ports among concurrent runs. They lie below the range of outgoing connections. */
const reserveFolder = async (): Promise<{ folder: string; ports: Ports }> => {
  for (;;) {
    const amqp = 20_000 + 4 * Math.floor(Math.random() * 2_500)
    const ports = { amqp, management: amqp + 1, dist: amqp + 2, epmd: amqp + 3 }
    const folder = join(tmpdir(), `waybill-broker-${amqp}`)
    const free = await Promise.all(Object.values(ports).map(isFree))
    if (free.includes(false) || existsSync(folder)) continue
    mkdirSync(folder, { mode: 0o700 })
    return { folder, ports }
  }
}

const configuration = (ports: Ports): string =>
  `
listeners.tcp.default = 127.0.0.1:${ports.amqp}
management.tcp.ip = 127.0.0.1
management.tcp.port = ${ports.management}
vm_memory_high_watermark.relative = 0.7
disk_free_limit.absolute = 50MB
`.trimStart()

const environment = (folder: string, ports: Ports, settings: Settings = {}): NodeJS.ProcessEnv => ({
  PATH: process.env.PATH,
  HOME: folder, // where Erlang keeps its cookie
  LANG: 'C.UTF-8',
  RABBITMQ_NODENAME: `waybill-${ports.amqp}@localhost`,
  RABBITMQ_DIST_PORT: String(ports.dist),
  RABBITMQ_CONFIG_FILE: join(folder, 'rabbitmq.conf'),
  RABBITMQ_CONF_ENV_FILE: join(folder, 'rabbitmq-env.conf'),
  RABBITMQ_ENABLED_PLUGINS_FILE: join(folder, 'enabled_plugins'),
  RABBITMQ_MNESIA_BASE: join(folder, 'data'),
  RABBITMQ_LOG_BASE: join(folder, 'log'),
  RABBITMQ_PID_FILE: join(folder, 'pid'),
  RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS: [
    '-kernel inet_dist_use_interface {127,0,0,1}',
    ...Object.entries(settings).map(([name, value]) => `-rabbit ${name} ${value}`),
  ].join(' '),
  ERL_EPMD_ADDRESS: '127.0.0.1',
  ERL_EPMD_PORT: String(ports.epmd),
  ERL_CRASH_DUMP: join(folder, 'erl_crash.dump'),
})
