import { endpointOf } from '../../src/rabbit/endpoint.ts'

const why = (secret: Readonly<Record<string, string>>): string => {
  try {
    return JSON.stringify(endpointOf(secret, '/'))
  } catch (error) {
    return `${error}`
  }
}

test('single keys of a Secret take precedence over its connection string', () => {
  const secret = { connection_string: 'amqps://us%40er:p%25w@rabbit.example/', host: 'other.example' }
  expect(endpointOf(secret, 'v')).toEqual({
    amqp: { protocol: 'amqps', hostname: 'other.example', port: 5671 },
    management: 'http://other.example:15672',
    username: 'us@er',
    password: 'p%w',
    vhost: 'v',
  })
})

test.each([
  ['nothing', {}, 'host is missing'],
  ['no password', { host: 'h', username: 'u' }, 'needs the key password'],
  ['another scheme', { connection_string: 'http://u:canary@h' }, 'key connection_string must be a URL'],
  ['a % that is not part of an escape', { connection_string: 'amqp://u:canary%zz@h' }, 'write %25'],
  ['an invalid port', { host: 'h', username: 'u', password: 'canary', port: '0' }, 'key port must be from 1 to'],
])('a Secret with %s is refused without showing it', (_, secret, says) => {
  expect(why(secret)).toContain('EndpointError')
  expect(why(secret)).toContain(says)
  expect(why(secret)).not.toContain('canary')
})
