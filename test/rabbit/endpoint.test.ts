import { type Endpoint, endpointOf, readEndpoint } from '../../src/rabbit/endpoint.ts'

const why = (secret: Readonly<Record<string, string>>, vhost?: string): string => {
  try {
    return JSON.stringify(endpointOf(secret, vhost))
  } catch (error) {
    return `${error}`
  }
}
const of = (url: string, vhost?: string): Endpoint => endpointOf({ connection_string: url }, vhost)

test('single keys of a Secret take precedence over its connection string', () => {
  const secret = { connection_string: 'amqps://us%40er:p%25w@rabbit.example/', host: 'other.example' }
  expect(endpointOf(secret, 'v')).toEqual({
    amqp: { protocol: 'amqps', hostname: 'other.example', port: 5671 },
    management: 'https://other.example:15671',
    username: 'us@er',
    password: 'p%w',
    vhost: 'v',
  })
})

test.each([
  ['amqp://u:p@h', undefined, '/'],
  ['amqp://u:p@h/', undefined, '/'],
  ['amqp://u:p@h/', 'v', 'v'],
  ['amqp://u:p@h/%2F', '/', '/'],
  ['amqp://u:p@h/cases%2Fteam', undefined, 'cases/team'],
  ['amqp://u:p@h/cases%2Fteam', 'cases/team', 'cases/team'],
  ['amqp://u:p@h/k%C3%BCche', undefined, 'küche'],
  ['amqp://u:p@h/küche', undefined, 'küche'],
])('%s with spec.vhost %s is for virtual host %s', (url, wanted, vhost) => {
  expect(of(url, wanted).vhost).toBe(vhost)
})

test('a connection string for another virtual host than spec.vhost is refused, and both are named', () => {
  expect(why({ connection_string: 'amqp://u:canary@h/cases%2Fteam' }, '/')).toBe(
    'EndpointError: key connection_string is for virtual host "cases/team", and spec.vhost is "/": leave one of them out',
  )
})

/** As it writes them for a cluster with `spec.tls.secretName`, by version. */
const operatorsSecret = {
  ...{ username: 'default_user_x', password: 'secret', provider: 'rabbitmq', type: 'rabbitmq' },
  ...{ 'default_user.conf': 'default_user = default_user_x\n', host: 'rabbit.shop.svc', port: '5671' },
}

test.each([
  ['without a connection string', operatorsSecret],
  [
    'with a connection string',
    { ...operatorsSecret, connection_string: 'amqps://default_user_x:secret@rabbit.shop.svc:5671/' },
  ],
])('the Secret that the RabbitMQ Cluster Operator writes for TLS, %s, means TLS for everything', (_, secret) => {
  expect(endpointOf(secret, undefined)).toMatchObject({
    amqp: { protocol: 'amqps', hostname: 'rabbit.shop.svc', port: 5671 },
    management: 'https://rabbit.shop.svc:15671',
  })
})

test('the management API is spoken to in clear beside AMQP with TLS only where management_uri says so', () => {
  const base = { host: 'h', username: 'u', password: 'p' }
  expect(endpointOf({ ...base, tls: 'true', port: '7000' }, 'v').management).toBe('https://h:15671')
  expect(endpointOf({ ...base, tls: 'false', port: '5671' }, 'v').management).toBe('http://h:15672')
  expect(endpointOf({ ...base, port: '5671', management_uri: 'http://h:1/x/' }, 'v').management).toBe('http://h:1/x')
})

test('names with other letters are written as name servers know them', () => {
  expect(of('amqp://u:p@bücher.example').amqp.hostname).toBe('xn--bcher-kva.example')
  expect(of('amqp://u:p@[::1]:5672')).toMatchObject({ amqp: { hostname: '::1' }, management: 'http://[::1]:15672' })
  expect(endpointOf({ host: 'Bücher.example', username: 'u', password: 'p' }, 'v').management).toBe(
    'http://xn--bcher-kva.example:15672',
  )
})

test.each([
  ['nothing', {}, 'host is missing'],
  ['no password', { host: 'h', username: 'u' }, 'needs the key password'],
  ['another scheme', { connection_string: 'http://u:canary@h' }, 'key connection_string must be a URL'],
  ['a % that is not part of an escape', { connection_string: 'amqp://u:canary%zz@h' }, 'write %25'],
  [
    'a # in the password',
    { connection_string: 'amqp://u:canary#1@h' },
    'write %23 for it, or use the keys username and',
  ],
  ['a / in the password', { connection_string: 'amqp://u:canary/1@h:5672/' }, 'write %2F for it, or use the keys'],
  ['a ? in the password', { connection_string: 'amqp://u:1?canary@h' }, 'write %3F for it, or use the keys'],
  [
    'an option',
    { connection_string: 'amqp://u:canary@h/?heartbeat=5' },
    'has the option heartbeat, which is not known',
  ],
  ['a / in the virtual host', { connection_string: 'amqp://u:canary@h/a/b' }, 'has a / in its virtual host: write %2F'],
  [
    'port 70000',
    { connection_string: 'amqp://u:canary@h:70000/' },
    'connection_string has port 70000: it must be from 1',
  ],
  ['an invalid port', { host: 'h', username: 'u', password: 'canary', port: '0' }, 'key port must be from 1 to'],
  ['a host with a port', { host: 'h:5672', username: 'u', password: 'canary' }, 'key host must have the name'],
  ['an unknown tls', { host: 'h', username: 'u', password: 'canary', tls: 'yes' }, 'key tls must be true or false'],
  [
    'port 70000 of the management API',
    { host: 'h', username: 'u', password: 'canary', management_uri: 'http://h:70000' },
    'key management_uri has port 70000',
  ],
])('a Secret with %s is refused without showing it', (_, secret, says) => {
  expect(why(secret)).toContain('EndpointError')
  expect(why(secret)).toContain(says)
  expect(why(secret)).not.toContain('canary')
})

test('an authority that is no certificate is refused, and its Secret named', async () => {
  const broker = {
    metadata: { namespace: 'shop' },
    spec: { connection: { secretRef: { name: 'rabbit' } }, tls: { caSecretRef: { name: 'authority' } } },
  }
  const read = readEndpoint(broker, async ({ name }) => ({
    data: name === 'authority' ? { 'ca.crt': Buffer.from('no') } : { connection_string: Buffer.from('amqps://u:p@h') },
  }))
  await expect(read).rejects.toThrow('Secret shop/authority has no certificate in PEM in its key ca.crt')
})
