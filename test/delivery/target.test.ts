import type { Subscription } from '../../src/api/kinds/subscription.ts'
import { targetOf } from '../../src/delivery/attempt/target.ts'
import { subscriptionOf } from './samples.ts'

const found = (subscriber: object) => targetOf(subscriptionOf({}, subscriber))

test.each([
  ['a URL', { url: 'https://billing.example:8443/events?x=1' }, 'https://billing.example:8443', '/events?x=1'],
  ['a URL without a path', { url: 'http://billing.example' }, 'http://billing.example', '/'],
  ['a URL with an odd path', { url: 'http://billing.example/ä"b' }, 'http://billing.example', '/%C3%A4%22b'],
  ['an address in disguise', { url: 'http://0x7f.1:80/' }, 'http://127.0.0.1', '/'],
  ['a Service', { serviceRef: { name: 'billing' }, path: '/in?x=1' }, 'http://billing.shop.svc', '/in?x=1'],
  ['a Service over TLS', { serviceRef: { name: 'b', port: 443, scheme: 'Https' } }, 'https://b.shop.svc', '/'],
  ['a Service on a port', { serviceRef: { name: 'b', port: 8080 } }, 'http://b.shop.svc:8080', '/'],
])('the origin and path of a target are derived from %s', (_, subscriber, origin, path) => {
  expect(found(subscriber)).toMatchObject({ origin, path, contentMode: 'Binary', headers: ['user-agent', 'waybill'] })
})

test.each(['http://:80/x', 'http://billing.example:99999/', 'http://[::1/', 'http://me:secret@billing.example/'])(
  'the URL %s is a problem of the subscriber, should it ever pass validation',
  (url) => {
    const valid = subscriptionOf()
    const subscription = { ...valid, spec: { ...valid.spec, subscriber: { ...valid.spec.subscriber, url } } }
    expect(targetOf(subscription as Subscription)).toMatchObject({
      problem: { field: 'spec.subscriber.url', value: url },
    })
  },
)
