import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { newTally } from '../../src/delivery/stats.ts'
import { listenTo } from '../../src/dispatcher/replicas/poll.ts'
import { peerName } from '../../src/dispatcher/replicas/peers.ts'
import { createLog } from '../../src/telemetry/log.ts'
import { createMetrics } from '../../src/telemetry/metrics.ts'
import { eventually } from '../support/wait.ts'

test('a process that has only just begun at the address of one that is gone does not bring it back', async () => {
  const tally = { ...newTally(), delivered: 5 }
  const sights = [{ uid: 'one', tally }]
  const share = { replica: 'former', at: 7, from: 0, total: 1, leaving: false, sights }
  let answer: RequestListener = (_, response) => response.end(JSON.stringify(share))
  const asked: string[] = []
  const server = createServer((request, response) => {
    asked.push(request.url ?? '')
    answer(request, response)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const peers = [peerName(`127.0.0.1:${(server.address() as AddressInfo).port}`)]
  let givenUp = 0
  const gaveUp = () => {
    givenUp += 1
  }
  const log = createLog({ level: 'silent' })
  const listening = listenTo({ peers, path: '/share', replica: 'self', metrics: createMetrics(), log, gaveUp })
  try {
    const { replicas } = listening
    await listening.heard
    expect(replicas.hears('former')).toBe(true)

    answer = (request) => request.socket.destroy()
    await eventually(() => givenUp === 1)
    answer = (_, response) => response.writeHead(204).end()
    const before = asked.length
    await eventually(() => asked.length > before + 1)
    expect(asked.at(-1)).toBe('/share?by=self')
    expect(replicas.hears('former')).toBe(false)
    // Its counts are there to be told to whoever never heard it.
    expect(replicas.gone()).toEqual([{ replica: 'former', at: 7, sights }])
  } finally {
    await listening.close()
    server.close()
  }
})
