import { once } from 'node:events'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Endpoint } from '../../src/rabbit/endpoint.ts'
import { connectManagement } from '../../src/rabbit/management/management.ts'
import type { Change } from '../../src/topology/change.ts'
import { httpRecorder } from '../support/http-recorder.ts'
import { freshVhost } from '../support/vhost.ts'
import { eventually } from '../support/wait.ts'

const { signal } = new AbortController()
const policy = { name: 'p', pattern: '^x$', applyTo: 'queues', priority: 1, definition: { 'max-length': 9 } } as const
const binding = { source: 'x', destination: 'x', routingKey: '', arguments: {} }
const changes: Change[] = [
  { do: 'declare-exchange', exchange: { name: 'x', type: 'topic', arguments: {} } },
  { do: 'declare-queue', queue: { name: 'x', durable: true, arguments: { 'x-queue-type': 'quorum' } } },
  { do: 'bind', binding },
  { do: 'unbind', binding },
  { do: 'put-policy', policy },
  { do: 'delete-queue', queue: 'x', only: 'if-empty' },
  { do: 'delete-queue', queue: 'x', only: 'whatever-it-holds' },
  { do: 'delete-exchange', exchange: 'x' },
  { do: 'delete-policy', policy: 'p' },
]

test('a closed fence stops all changes to the broker, and reading still works', async () => {
  await using cleanUp = new AsyncDisposableStack()
  const vhost = cleanUp.adopt(await freshVhost(), ({ drop }) => drop())
  const recorder = cleanUp.adopt(await httpRecorder(vhost.managementUrl), ({ close }) => close())
  let mayChange = true
  const fence = () => {
    if (!mayChange) throw new Error('no more')
  }
  const endpoint = { ...vhost.endpoint, management: recorder.url }
  const management = cleanUp.adopt(connectManagement(endpoint, fence), ({ close }) => close())
  for (const change of changes.slice(0, 3)) await management.apply(change, signal)

  mayChange = false
  const found = await management.observe(signal)
  const asked = recorder.requests.length
  for (const change of changes) await expect(management.apply(change, signal)).rejects.toThrow('no more')
  expect(recorder.requests.slice(asked)).toEqual([])
  await management.probe(signal)
  expect(await management.observe(signal)).toEqual(found)

  // The changes that were not sent do not affect later ones.
  mayChange = true
  for (const change of changes) await management.apply(change, signal)
})

test('the fence is checked when a waiting change gets its connection, not before', async () => {
  const held: ServerResponse[] = []
  const methods: string[] = []
  const server = createServer((request, response) => {
    methods.push(request.method ?? '')
    held.push(response)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const endpoint: Endpoint = {
    amqp: { protocol: 'amqp', hostname: '127.0.0.1', port: 9 },
    ...{ username: 'u', password: 'p', vhost: '/' },
    management: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
  }
  let asked = 0
  const management = connectManagement(endpoint, () => {
    asked += 1
    throw new Error('no more')
  })
  // As many as it has connections.
  const probes = Array.from({ length: 8 }, () => management.probe(signal))
  await eventually(() => held.length === probes.length)
  const change = management.apply({ do: 'put-policy', policy }, signal)
  const refused = expect(change).rejects.toThrow('no more')
  await new Promise((resolve) => setImmediate(resolve))
  expect(asked).toBe(0)
  for (const response of held) response.end('{"tags":["policymaker"]}')
  await Promise.all([refused, ...probes])
  expect([asked, methods.includes('PUT')]).toEqual([1, false])
  await management.close()
  server.close()
})
