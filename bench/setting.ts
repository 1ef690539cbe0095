import { mkdtempSync, rmSync } from 'node:fs'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { findBroker } from '../test/support/broker.ts'
import { freshVhost, type Vhost } from '../test/support/vhost.ts'
import { eventually } from '../test/support/wait.ts'
import { type Sink, startSink } from './sink.ts'

export type Setting = {
  readonly sink: Sink
  /** Aborts when the bench is interrupted. */
  readonly signal: AbortSignal
  /** Does the work in a virtual host and a folder of its own, which are gone afterwards. */
  onFreshVhost<T>(work: (vhost: Vhost, folder: string) => Promise<T>): Promise<T>
}

/** Progress goes to standard error: standard output has the results. */
export const say = (line: string): void => {
  process.stderr.write(`${line}\n`)
}

/** Runs a bench on a broker and a sink. Interrupted or not, it leaves nothing behind. */
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

/** Thousands of queues take longer to go than the broker's answer may take to come; a busy one then stops half way. */
const drop = async ({ drop, manage, name }: Vhost): Promise<void> => {
  const isGone = async () => {
    await drop().catch(() => undefined)
    const all = (await manage('GET', '/vhosts?columns=name')) as { name: string }[]
    return all.every((vhost) => vhost.name !== name)
  }
  await eventually(isGone, { timeoutMs: 300_000, everyMs: 200 })
}
