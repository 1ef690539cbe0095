import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import { createServer as createSecure } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { BrokerError } from '../../src/rabbit/broker-error.ts'
import type { Endpoint } from '../../src/rabbit/endpoint.ts'
import type { Bounds } from '../../src/rabbit/management/bounded-text.ts'
import { managementApi } from '../../src/rabbit/management/management-api.ts'
import { cert, key } from '../http/self-signed.ts'

const { signal } = new AbortController()
const whoAmI: RequestListener = (_, answer) => answer.end('{"name":"u","tags":["policymaker"]}')

/** What is said of a server when `scheme://host` is asked for a list. */
const said = async (
  listener: RequestListener,
  {
    speaks,
    scheme,
    host = '127.0.0.1',
    ca,
    limits,
  }: {
    readonly speaks: 'http' | 'https'
    readonly scheme: 'http' | 'https'
    readonly host?: string
    readonly ca?: string
    readonly limits?: Bounds
  },
): Promise<string> => {
  const server = speaks === 'https' ? createSecure({ cert, key }, listener) : createServer(listener)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const endpoint: Endpoint = {
    amqp: { protocol: 'amqp', hostname: host, port: 9 },
    management: `${scheme}://${host}:${(server.address() as AddressInfo).port}`,
    ...{ username: 'u', password: 'canary', vhost: 'v' },
    ...(ca === undefined ? {} : { ca }),
    lookup: (_name, _options, found) => found(null, [{ address: '127.0.0.1', family: 4 }]),
  }
  const api = managementApi(endpoint, () => {}, limits)
  try {
    await api.get('/queues/v', signal)
    return 'none'
  } catch (error) {
    const { kind, message } = error as BrokerError
    expect(message).not.toContain('canary')
    return `${kind}: ${message}`
  } finally {
    await api.close()
    server.closeAllConnections()
    server.close()
  }
}

test('a certificate that is trusted and has the name is accepted', async () => {
  expect(await said(whoAmI, { speaks: 'https', scheme: 'https', ca: cert })).toBe('none')
})

test.each<{ what: string; how: Parameters<typeof said>[1]; says: RegExp }>([
  {
    what: 'a certificate of an unknown authority',
    how: { speaks: 'https', scheme: 'https' },
    says: /^tls: .+ has a certificate that is not trusted \(DEPTH_ZERO_SELF_SIGNED_CERT\): name the authority .+ spec\.tls\.caSecretRef$/,
  },
  {
    what: 'a certificate for other names',
    how: { speaks: 'https', scheme: 'https', host: 'rabbit.example', ca: cert },
    says: /^tls: .+ has a certificate for other names than rabbit\.example \(it has DNS:localhost, IP Address:127\.0\.0\.1\): use one/,
  },
  {
    what: 'https on a plain port',
    how: { speaks: 'http', scheme: 'https' },
    says: /^tls: .+ does not speak TLS: this is a plain port; write http:\/\/ in the key management_uri of the Secret$/,
  },
  {
    what: 'http on a TLS port',
    how: { speaks: 'https', scheme: 'http' },
    says: /^unreachable: .+ ended the connection without an answer \(.+\); if it is a TLS port, write https:\/\/ in the key/,
  },
])('$what is told by its cause, and what to do', async ({ how, says }) => {
  expect(await said(whoAmI, how)).toMatch(says)
})

const plain = { speaks: 'http', scheme: 'http' } as const

test('an answer without end is read no further than its limit', async () => {
  let sent = 0
  const endless: RequestListener = (_, answer) => {
    const more = (): void => {
      while (!answer.destroyed && answer.write(Buffer.alloc(65_536, ' '))) sent += 65_536
      sent += 65_536
      answer.once('drain', more)
    }
    more()
  }
  const limits = { wholeWithinMs: 10_000, longestAnswer: 2 ** 20 }
  expect(await said(endless, { ...plain, limits })).toMatch(/^unreachable: .+ answered more than 1 MiB$/)
  expect(sent).toBeLessThan(40 * 2 ** 20)
})

test('an answer that trickles is waited for until its deadline', async () => {
  const trickle: RequestListener = (_, answer) => {
    const timer = setInterval(() => answer.write(' '), 20)
    answer.on('close', () => clearInterval(timer))
  }
  const limits = { wholeWithinMs: 300, longestAnswer: 2 ** 20 }
  expect(await said(trickle, { ...plain, limits })).toMatch(/^unreachable: .+ did not finish its answer within 0\.3 s$/)
})

test('an answer that is not of the management API is reported as that', async () => {
  const page: RequestListener = (_, answer) => answer.end('<html>')
  expect(await said(page, plain)).toMatch(
    /^unreachable: .+ answered something other than JSON: is it the management API\?$/,
  )
})

test.each([
  [503, /^failed: The broker answered 503: by a test$/],
  [400, /^refused: The broker answered 400: by a test$/],
])('an answer with %s keeps its reason', async (status, says) => {
  const refuse: RequestListener = (_, answer) => answer.writeHead(status).end('{"error":"x","reason":"by a test"}')
  expect(await said(refuse, plain)).toMatch(says)
})
