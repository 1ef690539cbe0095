import { once } from 'node:events'
import http from 'node:http'
import https from 'node:https'
import net, { type AddressInfo, type Server } from 'node:net'
import type { Outcome } from '../../src/delivery/attempt/outcome.ts'
import type { Request } from '../../src/delivery/attempt/request.ts'
import { addressGuard } from '../../src/http/address-guard.ts'
import { createSender, type Sender, type SenderOptions } from '../../src/http/send.ts'
import { cert, key } from './self-signed.ts'

const request: Request = {
  method: 'POST',
  path: '/events?x=1',
  headers: ['user-agent', 'waybill', 'ce-id', '1'],
  body: Buffer.from('hello'),
}

const open: { close(): unknown }[] = []
afterEach(async () => {
  await Promise.all(open.splice(0).map((each) => each.close()))
})

const portOf = async (server: Server): Promise<number> => {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const sockets = new Set<net.Socket>()
  server.on('connection', (socket: net.Socket) => sockets.add(socket))
  open.push({
    close: () => {
      for (const socket of sockets) socket.destroy()
      return new Promise((resolve) => server.close(resolve))
    },
  })
  return (server.address() as AddressInfo).port
}

const serverOf = async (handler: http.RequestListener): Promise<string> =>
  `http://127.0.0.1:${await portOf(http.createServer(handler))}`

/** A server that writes these bytes to every connection that sends something. */
const rawServer = async (onData: (socket: net.Socket) => void): Promise<string> =>
  `http://127.0.0.1:${await portOf(net.createServer((socket) => socket.on('error', () => {}).once('data', () => onData(socket))))}`

const senderTo = (origin: string, options: Partial<SenderOptions> = {}, readsProblems = false): Sender => {
  const sender = createSender(
    { origin, path: '/', contentMode: 'Binary', headers: [], readsProblems },
    { timeoutMs: 5_000, concurrency: 2, guard: addressGuard({ loopback: true }), ...options },
  )
  open.push({ close: () => sender.abandon() })
  return sender
}

const failureOf = (outcome: Outcome): string => (outcome.kind === 'failed' ? outcome.failure : outcome.kind)

describe('the problem that an answer describes', () => {
  const json = JSON.stringify
  const type = 'https://shop.example/problems/no-such-customer'
  const answer =
    (contentType: string, body: string | Buffer, readsProblems = true) =>
    async (): Promise<Outcome> => {
      const origin = await serverOf((_, response) => response.writeHead(422, { 'content-type': contentType }).end(body))
      return senderTo(origin, {}, readsProblems).send(request)
    }
  const plain: Outcome = { kind: 'answered', status: 422 }

  test.each<[string, () => Promise<Outcome>, Outcome]>([
    ['its type is kept', answer('application/problem+json', json({ type })), { ...plain, problem: type }],
    ['with parameters', answer('application/problem+json; charset=utf-8', json({ type })), { ...plain, problem: type }],
    ['not where nobody asked for it', answer('application/problem+json', json({ type }), false), plain],
    ['not of another media type', answer('application/json', json({ type })), plain],
    ['not about:blank', answer('application/problem+json', json({ type: 'about:blank' })), plain],
    ['not what is no URI', answer('application/problem+json', json({ type: 'a\nb' })), plain],
    ['not longer than 256', answer('application/problem+json', json({ type: `urn:${'x'.repeat(300)}` })), plain],
    ['not of broken JSON', answer('application/problem+json', '{"type":'), plain],
    ['not of null', answer('application/problem+json', 'null'), plain],
    ['not of a long body', answer('application/problem+json', json({ type, more: 'x'.repeat(20_000) })), plain],
  ])('%s', async (_, send, expected) => {
    expect(await send()).toEqual(expected)
  })
})

describe('the outcome of an answer', () => {
  const answers: { name: string; handler: http.RequestListener; expected: Outcome }[] = [
    {
      name: '200 with a body is delivered',
      handler: (_, response) => response.end('fine'),
      expected: { kind: 'delivered', status: 200 },
    },
    {
      name: '204 without a body is delivered',
      handler: (_, response) => response.writeHead(204).end(),
      expected: { kind: 'delivered', status: 204 },
    },
    {
      name: '503 with a Retry-After is answered with that wait',
      handler: (_, response) => response.writeHead(503, { 'retry-after': '7' }).end(),
      expected: { kind: 'answered', status: 503, retryAfterMs: 7000 },
    },
    {
      name: '429 with an invalid Retry-After is answered without a wait',
      handler: (_, response) => response.writeHead(429, { 'retry-after': 'soon' }).end(),
      expected: { kind: 'answered', status: 429 },
    },
    {
      name: '302 is answered and not followed',
      handler: ({ url }, response) =>
        url === '/elsewhere' ? response.end() : response.writeHead(302, { location: '/elsewhere' }).end(),
      expected: { kind: 'answered', status: 302 },
    },
    {
      name: 'interim answers do not count',
      handler: (_, response) => {
        response.writeProcessing()
        response.writeEarlyHints({ link: '</style.css>; rel=preload' })
        response.writeHead(202).end()
      },
      expected: { kind: 'delivered', status: 202 },
    },
    {
      name: 'a body over 64 KiB is cut off and the status counts',
      handler: (_, response) => {
        const more = () => {
          while (!response.destroyed && response.write(Buffer.alloc(16_384))) {}
        }
        response.on('drain', more)
        more()
      },
      expected: { kind: 'delivered', status: 200 },
    },
    {
      name: 'after a connection lost in the body the status counts',
      handler: (_, response) => {
        response.writeHead(500, { 'content-length': '100' })
        response.write('x', () => response.destroy())
      },
      expected: { kind: 'answered', status: 500 },
    },
  ]

  test.each(answers)('an attempt has the expected outcome for an answer: $name', async ({ handler, expected }) => {
    const sender = senderTo(await serverOf(handler))
    expect(await sender.send(request)).toEqual(expected)
    // The sender still works, whatever the first answer did to its connection.
    expect(await sender.send(request)).toEqual(expected)
  })
})

test('the request arrives unchanged at the subscriber', async () => {
  const seen = Promise.withResolvers<unknown>()
  const origin = await serverOf(async (incoming, response) => {
    const { 'user-agent': agent, 'ce-id': id, 'content-length': length } = incoming.headers
    const body = Buffer.concat(await incoming.toArray()).toString()
    seen.resolve({ method: incoming.method, url: incoming.url, agent, id, length, body })
    response.end()
  })
  await senderTo(origin).send(request)
  expect(await seen.promise).toEqual({
    method: 'POST',
    url: '/events?x=1',
    agent: 'waybill',
    id: '1',
    length: '5',
    body: 'hello',
  })
})

test('a request with an empty body has a content-length', async () => {
  const seen = Promise.withResolvers<unknown>()
  const origin = await serverOf((incoming, response) => {
    seen.resolve(incoming.headers['content-length'])
    response.end()
  })
  await senderTo(origin).send({ ...request, body: Buffer.alloc(0) })
  expect(await seen.promise).toBe('0')
})

describe('the deadline of an attempt', () => {
  test('the deadline ends an attempt that is not answered', async () => {
    const sender = senderTo(await serverOf(() => {}), { timeoutMs: 100 })
    const outcome = await sender.send(request)
    expect(outcome).toEqual({ kind: 'failed', failure: 'timeout', message: 'No answer within 100ms' })
  })

  test('the deadline ends an attempt whose body never ends, and the status counts', async () => {
    const origin = await serverOf((_, response) => void response.write('…'))
    expect(await senderTo(origin, { timeoutMs: 100 }).send(request)).toEqual({ kind: 'delivered', status: 200 })
  })

  test('the deadline ends an attempt whose headers arrive byte by byte', async () => {
    const origin = await rawServer((socket) => {
      socket.write('HTTP/1.1 200 OK\r\nx: ')
      const drip = setInterval(() => socket.write('y'), 5)
      socket.on('close', () => clearInterval(drip))
    })
    expect(failureOf(await senderTo(origin, { timeoutMs: 100 }).send(request))).toBe('timeout')
  })

  test('the deadline of an attempt includes the wait for a connection', async () => {
    const arrived = Promise.withResolvers<http.ServerResponse>()
    const origin = await serverOf((incoming, response) => {
      if (incoming.url === '/hangs') arrived.resolve(response)
      else response.end()
    })
    const sender = senderTo(origin, { timeoutMs: 200, concurrency: 1 })
    const attempts = ['/hangs', '/hangs'].map((path) => sender.send({ ...request, path }))
    expect((await Promise.all(attempts)).map(failureOf)).toEqual(['timeout', 'timeout'])
    expect((await sender.send(request)).kind).toBe('delivered')
  })

  test('each of many attempts has its own deadline', async () => {
    const origin = await serverOf((incoming, response) => {
      if (incoming.url === '/answered') response.end()
    })
    const sender = senderTo(origin, { timeoutMs: 150, concurrency: 20 })
    const paths = Array.from({ length: 20 }, (_, index) => (index % 2 === 0 ? '/answered' : '/hangs'))
    const outcomes = await Promise.all(paths.map((path) => sender.send({ ...request, path })))
    expect(outcomes.map(failureOf)).toEqual(paths.map((path) => (path === '/answered' ? 'delivered' : 'timeout')))
  })
})

describe('failures of an attempt', () => {
  test('a connection to a port where nothing listens is refused', async () => {
    const server = net.createServer()
    const port = await portOf(server)
    await new Promise((resolve) => server.close(resolve))
    const outcome = await senderTo(`http://127.0.0.1:${port}`).send(request)
    expect(outcome).toEqual({
      kind: 'failed',
      failure: 'refused',
      message: 'The connection was refused (ECONNREFUSED)',
    })
  })

  test.each([
    ['is reset', (socket: net.Socket) => socket.resetAndDestroy(), 'reset'],
    ['is closed', (socket: net.Socket) => socket.end(), 'reset'],
    ['answers something other than HTTP', (socket: net.Socket) => socket.end('SSH-2.0-OpenSSH_9.6\r\n'), 'bad-answer'],
    [
      'answers with endless headers',
      (socket: net.Socket) => socket.write(`HTTP/1.1 200 OK\r\n${`x: ${'y'.repeat(1000)}\r\n`.repeat(100)}`),
      'bad-answer',
    ],
    [
      'switches protocols unasked',
      (socket: net.Socket) => socket.write('HTTP/1.1 101 Switching\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n'),
      'reset',
    ],
  ])('a connection that %s is a failed attempt', async (_, onData, expected) => {
    const sender = senderTo(await rawServer(onData))
    expect(failureOf(await sender.send(request))).toBe(expected)
  })

  test('a host name that cannot be resolved is a dns failure', async () => {
    expect(failureOf(await senderTo('http://nowhere.invalid').send(request))).toBe('dns')
  })

  test.each([
    ['a line break in a header', ['ce-id', 'a\r\nx: y']],
    ['a header that HTTP reserves', ['transfer-encoding', 'chunked']],
    ['an invalid header name', ['ce id', 'a']],
  ])('a request with %s is unsendable, and no connection is made', async (_, headers) => {
    let connections = 0
    const server = net.createServer(() => {
      connections += 1
    })
    const sender = senderTo(`http://127.0.0.1:${await portOf(server)}`)
    expect((await sender.send({ ...request, headers })).kind).toBe('unsendable')
    expect(connections).toBe(0)
  })
})

describe('TLS', () => {
  const tlsServer = async (options: https.ServerOptions = {}): Promise<number> =>
    portOf(https.createServer({ cert, key, ...options }, (_, response) => response.end()))

  test('a self-signed certificate is not trusted', async () => {
    const sender = senderTo(`https://localhost:${await tlsServer()}`)
    expect(await sender.send(request)).toEqual({
      kind: 'failed',
      failure: 'tls',
      message: 'No trusted TLS connection (DEPTH_ZERO_SELF_SIGNED_CERT)',
    })
  })

  test('a self-signed certificate is trusted if it is the given authority', async () => {
    const sender = senderTo(`https://localhost:${await tlsServer()}`, { credentials: { tls: { ca: cert } } })
    expect(await sender.send(request)).toEqual({ kind: 'delivered', status: 200 })
  })

  test('a certificate of another host is not trusted', async () => {
    const lookup: net.LookupFunction = (_, options, callback) =>
      options.all ? callback(null, [{ address: '127.0.0.1', family: 4 }]) : callback(null, '127.0.0.1', 4)
    const guard = { ...addressGuard({ loopback: true }), lookup }
    const sender = senderTo(`https://billing.example:${await tlsServer()}`, {
      credentials: { tls: { ca: cert } },
      guard,
    })
    expect(failureOf(await sender.send(request))).toBe('tls')
  })

  test('the client certificate is presented if the subscriber asks for it', async () => {
    const port = await tlsServer({ requestCert: true, ca: cert })
    const without = senderTo(`https://localhost:${port}`, { credentials: { tls: { ca: cert } } })
    expect((await without.send(request)).kind).toBe('failed')
    const withIt = senderTo(`https://localhost:${port}`, { credentials: { tls: { ca: cert, cert, key } } })
    expect((await withIt.send(request)).kind).toBe('delivered')
  })

  test('a server without TLS is a tls failure for an attempt over TLS', async () => {
    const origin = await serverOf((_, response) => response.end())
    expect(failureOf(await senderTo(origin.replace('http:', 'https:')).send(request))).toBe('tls')
  })
})

describe('addresses that a subscriber must not have', () => {
  const metadata = [
    '169.254.169.254',
    '2852039166',
    '0xa9.0xfe.0xa9.0xfe',
    '168.63.129.16',
    '100.100.100.200',
    '[fe80::1]',
    '[fd00:ec2::254]',
    '[fd20:ce::254]',
    '[::ffff:169.254.169.254]',
    '[::169.254.169.254]',
    '[64:ff9b::a9fe:a9fe]',
    '[64:ff9b:1::a9fe:a9fe]',
    '[2002:a9fe:a9fe::1]',
  ]
  const loopback = [
    '127.0.0.1',
    '127.1',
    '0x7f.1',
    '①②⑦.⓪.⓪.①',
    '0',
    '[::1]',
    '[::]',
    '[::ffff:127.0.0.1]',
    '[::7f00:1]',
  ]
  const hostOf = (host: string): string => new URL(`http://${host}`).hostname.replace(/^\[(.*)\]$/, '$1')

  test.each(metadata)('the address %s is refused even if loopback is allowed', (host) => {
    expect(addressGuard({ loopback: true }).isBlocked(hostOf(host))).toBe(true)
    expect(addressGuard({ loopback: false }).isBlocked(hostOf(host))).toBe(true)
  })

  test.each(loopback)('the address %s is refused unless loopback is allowed', (host) => {
    expect(addressGuard({ loopback: false }).isBlocked(hostOf(host))).toBe(true)
    expect(addressGuard({ loopback: true }).isBlocked(hostOf(host))).toBe(false)
  })

  test.each(['10.0.0.1', '192.168.1.1', '172.16.0.1', '93.184.216.34', '[fd12::1]', '[2606:4700::1111]'])(
    'the address %s is allowed',
    (host) => {
      expect(addressGuard({ loopback: false }).isBlocked(hostOf(host))).toBe(false)
    },
  )

  test.each(['127.0.0.1', 'localhost', '[::1]'])(
    'an attempt with %s as the host is refused before a connection is made',
    async (host) => {
      let connections = 0
      const server = net.createServer(() => {
        connections += 1
      })
      const sender = senderTo(`http://${host}:${await portOf(server)}`, { guard: addressGuard({ loopback: false }) })
      expect(await sender.send(request)).toEqual({
        kind: 'failed',
        failure: 'blocked-address',
        message: 'Subscribers must not have this address (WAYBILL_BLOCKED_ADDRESS)',
      })
      expect(connections).toBe(0)
    },
  )
})

test('the sender does not use proxies of the environment', async () => {
  const proxy = 'http://127.0.0.1:9'
  const before = { ...process.env }
  Object.assign(process.env, { HTTP_PROXY: proxy, http_proxy: proxy, NODE_USE_ENV_PROXY: '1' })
  try {
    const origin = await serverOf((_, response) => response.end())
    expect((await senderTo(origin).send(request)).kind).toBe('delivered')
  } finally {
    process.env = before
  }
})

describe('the shutdown of a sender', () => {
  test('a sender that is closed waits for the attempts in flight and accepts no others', async () => {
    const arrived = Promise.withResolvers<http.ServerResponse>()
    const sender = senderTo(await serverOf((_, response) => arrived.resolve(response)))
    const attempt = sender.send(request)
    const response = await arrived.promise
    const closing = sender.close()
    expect(await sender.send(request)).toEqual({ kind: 'abandoned' })
    response.end()
    expect(await attempt).toEqual({ kind: 'delivered', status: 200 })
    await closing
  })

  test('a sender that is abandoned ends the attempts in flight, and those that wait for a connection', async () => {
    const arrived = Promise.withResolvers<void>()
    const sender = senderTo(await serverOf(() => arrived.resolve()), { concurrency: 1 })
    const attempts = [sender.send(request), sender.send(request)]
    await arrived.promise
    await sender.abandon()
    expect(await Promise.all(attempts)).toEqual([{ kind: 'abandoned' }, { kind: 'abandoned' }])
  })

  test('a sender that sent nothing closes at once', async () => {
    await senderTo('http://127.0.0.1:9').close()
  })
})
