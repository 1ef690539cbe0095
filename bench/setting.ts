import { mkdtempSync, rmSync } from 'node:fs'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { findBroker } from '../test/support/broker.ts'
import { freshVhost, type Vhost } from '../test/support/vhost.ts'
import { eventually } from '../test/support/wait.ts'
import { type Sink, startSink } from './sink.ts'

export type Setting = {
  readonly sink: Sink
  /** Aborts when the benchmark is interrupted. */
  readonly signal: AbortSignal
  /** Runs the work with a virtual host and a folder of its own, which are removed afterwards. */
  onFreshVhost<T>(work: (vhost: Vhost, folder: string) => Promise<T>): Promise<T>
}

/** Prints progress to standard error; results go to standard output. */
export const say = (line: string): void => {
  process.stderr.write(`${line}\n`)
}

/** Runs a benchmark with a broker and a sink. Leaves nothing behind, even when interrupted. */
export const bench = async (work: (setting: Setting) => Promise<void>): Promise<void> => {
  const stop = new AbortController()
  process.once('SIGINT', () => stop.abort()).once('SIGTERM', () => stop.abort())
  const broker = await findBroker({ log: say })
  process.env.RABBITMQ_URL = broker.amqpUrl
  process.env.RABBITMQ_MANAGEMENT_URL = broker.managementUrl
  say(`RabbitMQ ${broker.version} (${broker.origin}), Node ${process.versions.node}, ${cpus().length} cores`)
  const sink = await startSink()
  try {
    await work({ sink, signal: stop.signal, onFreshVhost })
  } catch (error) {
    if (!stop.signal.aborted) throw error
    process.exitCode = 130
  } finally {
    sink.close()
    await broker.stop()
  }
}

const onFreshVhost: Setting['onFreshVhost'] = async (work) => {
  const vhost = await freshVhost('waybill-bench')
  const folder = mkdtempSync(join(tmpdir(), 'waybill-bench-'))
  try {
    return await work(vhost, folder)
  } finally {
    rmSync(folder, { recursive: true, force: true })
    await drop(vhost)
  }
}

/**
 * Deleting thousands of queues takes longer than a request may take, and a busy broker may stop half way: so it is
 * repeated.
 */
const drop = async ({ drop, manage, name }: Vhost): Promise<void> => {
  const isGone = async () => {
    await drop().catch(() => undefined)
    const all = (await manage('GET', '/vhosts?columns=name')) as { name: string }[]
    return all.every((vhost) => vhost.name !== name)
  }
  await eventually(isGone, { timeoutMs: 300_000, everyMs: 200 })
}
