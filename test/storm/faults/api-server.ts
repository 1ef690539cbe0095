import type { FaultyProxy } from '../../support/kubernetes/faulty-proxy.ts'
import type { Fault, FaultWorld } from '../fault.ts'
import type { Random } from '../random.ts'

/** Faults of the API server, and between it and one process or all of them. */

const none = async (): Promise<void> => undefined

const some = ({ api }: FaultWorld, random: Random): readonly FaultyProxy[] => {
  const proxies = api?.proxies ?? []
  return proxies.length === 0 || random.chance(0.4) ? proxies : [random.pick(proxies)]
}

const answering =
  (fault: (random: Random) => ReturnType<FaultyProxy['fault']>): Fault =>
  async (world, random) => {
    const proxies = some(world, random)
    const drawn = fault(random)
    const share = random.pick([0.3, 1])
    for (const proxy of proxies) proxy.fault = () => (random.chance(share) ? drawn : undefined)
    return async () => {
      for (const proxy of proxies) proxy.fault = () => undefined
    }
  }

export const refuses = answering((random) =>
  random.pick([
    { status: 500 },
    { status: 503, reason: 'ServiceUnavailable' },
    { status: 429, reason: 'TooManyRequests', headers: { 'retry-after': '1' } },
    { status: 409, reason: 'Conflict' },
    { status: 504, reason: 'Timeout' },
  ]),
)
export const hangs = answering(() => 'hang')
export const cutsAnswers = answering(() => 'cut')

export const watchesCut: Fault = async (world, random) => {
  const proxies = some(world, random)
  for (const proxy of proxies) proxy.cutWatches()
  return none
}

export const watchesHeld: Fault = async (world, random) => {
  const proxies = some(world, random)
  for (const proxy of proxies) proxy.holdWatches()
  return async () => {
    for (const proxy of proxies) proxy.releaseWatches()
  }
}

/** As after a compaction, and what no server should send. */
export const watchesBroken: Fault = async (world, random) => {
  const gone = { kind: 'Status', apiVersion: 'v1', status: 'Failure', code: 410, reason: 'Expired', message: 'too old' }
  const line = random.pick([JSON.stringify({ type: 'ERROR', object: gone }), '{"type":"MODIF', '<html>', ''])
  for (const proxy of some(world, random)) proxy.inject(line)
  return none
}

export const killed: Fault = async ({ api }) => {
  api?.server.signal('SIGKILL')
  return async () => api?.server.resume()
}

export const paused: Fault = async ({ api }) => {
  api?.server.signal('SIGSTOP')
  return async () => api?.server.signal('SIGCONT')
}
