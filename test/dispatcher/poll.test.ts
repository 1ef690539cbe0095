import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { newStats } from '../../src/delivery/stats.ts'
import { peerName } from '../../src/dispatcher/replicas/peers.ts'
import { pollPeers } from '../../src/dispatcher/replicas/poll.ts'
import { createLog } from '../../src/telemetry/log.ts'
import { createMetrics } from '../../src/telemetry/metrics.ts'
import { eventually } from '../support/wait.ts'

test('a process that started at the address of a replica that is gone is not mistaken for that replica', async () => {
  const stats = { ...newStats(), delivered: 5 }
  const observations = [{ uid: 'one', stats }]
  const snapshot = { replica: 'former', version: 7, from: 0, total: 1, leaving: false, observations }
  let answer: RequestListener = (_, response) => response.end(JSON.stringify(snapshot))
  const asked: string[] = []
  const server = createServer((request, response) => {
    asked.push(request.url ?? '')
    answer(request, response)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const peers = [peerName(`127.0.0.1:${(server.address() as AddressInfo).port}`)]
  let givenUp = 0
  const lost = () => {
    givenUp += 1
  }
  const log = createLog({ level: 'silent' })
  const polling = pollPeers({ peers, path: '/snapshot', replica: 'self', metrics: createMetrics(), log, lost })
  try {
    const { replicas } = polling
    await polling.received
    expect(replicas.isAlive('former')).toBe(true)

    answer = (request) => request.socket.destroy()
    await eventually(() => givenUp === 1)
    answer = (_, response) => response.writeHead(204).end()
    const before = asked.length
    await eventually(() => asked.length > before + 1)
    expect(asked.at(-1)).toBe('/snapshot?by=self')
    expect(replicas.isAlive('former')).toBe(false)
    // Its counts are kept for replicas that never received a snapshot of it.
    expect(replicas.gone()).toEqual([{ replica: 'former', version: 7, observations }])
  } finally {
    await polling.close()
    server.close()
  }
})
