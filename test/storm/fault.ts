import type { FaultyProxy } from '../support/kubernetes/faulty-proxy.ts'
import type { RunningApiServer } from '../support/kubernetes/server.ts'
import type { TcpProxy } from '../support/tcp-proxy.ts'
import type { Vhost } from '../support/vhost.ts'
import type { Random } from './random.ts'

/** What faults are made with. */
export type FaultWorld = {
  readonly vhost: Vhost
  /** Between Waybill and the broker. */
  readonly amqp: StormProxy
  readonly management: TcpProxy
  /** `waybill run`, or operator and dispatchers. */
  readonly processes: readonly StormProcess[]
  /** Stops and starts nodes of the broker; not where it is not the storm's own. */
  readonly nodes:
    | { readonly names: readonly string[]; order(node: string, ...args: readonly string[]): Promise<void> }
    | undefined
  /** Of manifests; none where resources live on an API server. */
  readonly folder: { write(name: string, text: string): void; delete(name: string): void } | undefined
  readonly api: ApiFaults | undefined
}

export type StormProcess = {
  readonly name: string
  /** Sends it a signal, where it runs. */
  signal(signal: 'SIGKILL' | 'SIGSTOP' | 'SIGCONT'): void
  /** Starts it where it does not run. */
  start(): Promise<void>
}

/** The API server, which is the storm's own, and the proxy between it and each process. */
export type ApiFaults = { readonly server: RunningApiServer; readonly proxies: readonly FaultyProxy[] }

/** A proxy that can also be slow, and add frames. */
export type StormProxy = TcpProxy & {
  /** How many methods that declare, bind or delete went to the broker. */
  readonly changes: number
  /** Hands on at most so many bytes at a time, each piece after a delay; 0 bytes: as they come. */
  shape(bytes: number, delayMs: number): void
  /** Adds this frame at the next end of a frame from the broker, on a channel that is open. */
  insert(frameOn: (channel: number) => Buffer): void
}

/** Makes the fault; the returned function ends it. */
export type Fault = (world: FaultWorld, random: Random) => Promise<() => Promise<void>>
