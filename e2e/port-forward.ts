import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { connect } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { freePort } from '../test/support/free-port.ts'
import { eventually } from '../test/support/wait.ts'
import type { Cluster } from './cluster.ts'

export type PortForward = {
  /** The port on 127.0.0.1 for each remote port, in order. */
  readonly ports: readonly number[]
  close(): Promise<void>
}

/** `kubectl port-forward` to a Service, restarted on the same ports whenever it exits. */
export const forwardPorts = async (
  { env }: Cluster,
  namespace: string,
  target: string,
  remote: readonly number[],
): Promise<PortForward> => {
  const ports = await Promise.all(remote.map(() => freePort()))
  const pairs = remote.map((port, at) => `${ports[at]}:${port}`)
  const closing = new AbortController()
  const serve = async (): Promise<void> => {
    while (!closing.signal.aborted) {
      const child = spawn('kubectl', ['-n', namespace, 'port-forward', target, ...pairs], { env, stdio: 'ignore' })
      const kill = () => child.kill('SIGKILL')
      process.once('exit', kill)
      closing.signal.addEventListener('abort', kill)
      await new Promise((resolve) => child.once('exit', resolve).once('error', resolve))
      closing.signal.removeEventListener('abort', kill)
      process.off('exit', kill)
      await delay(200, undefined, { signal: closing.signal }).catch(() => {})
    }
  }
  const done = serve()
  await eventually(() => Promise.all(ports.map(connects)), { timeoutMs: 30_000, everyMs: 100 })
  return {
    ports,
    async close() {
      closing.abort()
      await done
    },
  }
}

const connects = async (port: number): Promise<void> => {
  const socket = connect(port, '127.0.0.1')
  await once(socket, 'connect').finally(() => socket.destroy())
}
