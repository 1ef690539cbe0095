import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type ConsumeMessage, connect } from 'amqplib'
import { rssMiBOf } from '../../bench/process-tree.ts'
import { type Sink, startSink } from '../../bench/sink.ts'
import { isTrue } from '../../src/api/conditions.ts'
import { type Subscription, subscription } from '../../src/api/kinds/subscription.ts'
import { readToken, tokenFile } from '../../src/cli/data/token-file.ts'
import { brokerOf, type ManifestFolder, manifestFolder, subscriptionOf, topicOf } from '../support/manifests.ts'
import { connectProducer, type Producer } from '../support/publish.ts'
import { freshVhost, type Vhost } from '../support/vhost.ts'
import { eventually } from '../support/wait.ts'
import { runWaybill, type Waybill } from '../support/waybill.ts'

/** `waybill run` on a virtual host with the Subscriptions `big` and `other`, each with a Topic and a subscriber of its own. */
export type Ground = {
  readonly vhost: Vhost
  readonly folder: ManifestFolder
  readonly producer: Producer
  readonly sinks: Readonly<Record<'big' | 'other', Sink>>
  readonly dlq: string
  /** The process that runs now. */
  readonly waybill: Waybill
  /** Starts it, again where it runs, and waits until both Subscriptions deliver. */
  start(): Promise<void>
  status(): Promise<Subscription['status']>
  /** Its data port: with this environment a command finds the token that these headers have. */
  data(): { readonly url: string; readonly env: NodeJS.ProcessEnv; readonly headers: Record<string, string> }
  /** How many messages are ready in the dead-letter queue. */
  ready(): Promise<number>
  /** Resident memory in MiB now: of the broker's node as its operating system counts it, and of Waybill. */
  memory(): Promise<Memory>
  [Symbol.asyncDispose](): Promise<void>
}

export type Memory = { readonly broker: number; readonly waybill: number }

export const openGround = async (resyncInterval: string): Promise<Ground> => {
  await using opening = new AsyncDisposableStack()
  const vhost = opening.adopt(await freshVhost('waybill-soak'), ({ drop }) => drop())
  const folder = opening.adopt(manifestFolder(), ({ drop }) => drop())
  const state = opening.adopt(mkdtempSync(join(tmpdir(), 'waybill-soak-')), (path) => rmSync(path, { recursive: true }))
  const producer = opening.adopt(await connectProducer(vhost.amqpUrl), ({ close }) => close())
  const big = opening.adopt(await startSink(), ({ close }) => close())
  const other = opening.adopt(await startSink(), ({ close }) => close())
  const delivery = { concurrency: 20, retry: { maxAttempts: 1 } }
  folder.write('shop', [
    ...brokerOf(vhost, { resyncInterval }),
    ...[topicOf('big'), topicOf('other')],
    ...[subscriptionOf('big', 'big', big.url, { delivery }), subscriptionOf('other', 'other', other.url, { delivery })],
  ])
  const env = { XDG_STATE_HOME: state }
  let waybill: Waybill | undefined
  opening.defer(async () => waybill?.stop())
  const running = (): Waybill => {
    if (waybill === undefined) throw new Error('Waybill does not run')
    return waybill
  }
  const dlq = 'waybill.dlq.shop.big'
  const cleanUp = opening.move()
  return {
    ...{ vhost, folder, producer, sinks: { big, other }, dlq },
    get waybill() {
      return running()
    },
    async start() {
      await waybill?.stop()
      waybill = await runWaybill(folder.path, { dataListen: '127.0.0.1:0', env, logFile: join(tmpdir(), 'soak.log') })
      const areReady = async () =>
        (await running().list(subscription)).filter(({ status }) => isTrue(status?.conditions, 'Ready')).length === 2
      await eventually(areReady, { timeoutMs: 60_000, everyMs: 100 })
    },
    status: async () => (await running().get(subscription, 'big'))?.status,
    data() {
      const url = /"dataPort":"(http:[^"]+)"/.exec(running().logs())?.[1] ?? ''
      const token = readToken(tokenFile(Number(new URL(url).port), env)) ?? ''
      return { url, env, headers: { authorization: `Bearer ${token}` } }
    },
    ready: async () => (await producer.channel.checkQueue(dlq)).messageCount,
    memory: async () => ({ broker: await brokerMiB(vhost), waybill: rssMiBOf(running().pid) }),
    [Symbol.asyncDispose]: () => cleanUp.disposeAsync(),
  }
}

type Node = { readonly os_pid: string; readonly mem_used: number }

/** The management API's figure is some seconds old; where the node is on this machine, its process is asked. */
const brokerMiB = async ({ manage }: Vhost): Promise<number> => {
  const nodes = (await manage('GET', '/nodes?columns=os_pid,mem_used')) as Node[]
  const of = ({ os_pid, mem_used }: Node): number => {
    try {
      if (!readFileSync(`/proc/${os_pid}/comm`, 'utf8').startsWith('beam')) return mem_used / 2 ** 20
      return rssMiBOf(Number(os_pid))
    } catch {
      return mem_used / 2 ** 20
    }
  }
  return Math.max(...nodes.map(of))
}

/** The largest that both had, beyond what they had at the beginning, in MiB, while the work lasts. */
export const growth = async <T>({ memory }: Ground, before: Memory, work: () => Promise<T>) => {
  let broker = 0
  let waybill = 0
  const over = new AbortController()
  const watching = (async () => {
    for (; !over.signal.aborted; await new Promise((resolve) => setTimeout(resolve, 250))) {
      const now = await memory()
      broker = Math.max(broker, now.broker - before.broker)
      waybill = Math.max(waybill, now.waybill - before.waybill)
    }
  })()
  const result = await work()
  over.abort()
  await watching
  return { result, broker, waybill }
}

/** Everything in a queue, in its order, taken by a client that is not ours. */
export const drained = async (
  amqpUrl: string,
  queue: string,
  count: number,
  each: (message: ConsumeMessage) => void,
): Promise<number> => {
  const connection = await connect(amqpUrl)
  const channel = await connection.createChannel()
  let seen = 0
  await channel.prefetch(5_000)
  await channel.consume(queue, (message) => {
    if (message === null) return
    seen += 1
    each(message)
    if (seen % 1_000 === 0) channel.ack(message, true)
  })
  let before = -1
  // Until nothing comes any more, so that too many would be seen too.
  const isOver = () => {
    const isStill = seen === before
    before = seen
    return isStill && seen >= count
  }
  await eventually(isOver, { timeoutMs: 600_000, everyMs: 1_000 }).catch(() => undefined)
  await connection.close()
  return seen
}
