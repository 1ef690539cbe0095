import { healthRoutes } from '../../src/server/health.ts'
import { ListenError } from '../../src/server/listen.ts'
import { metricsRoutes } from '../../src/server/metrics.ts'
import { pageRoutes } from '../../src/server/pages.ts'
import { resourceRoutes } from '../../src/server/resources.ts'
import type { Routes } from '../../src/server/routes.ts'
import { startServer } from '../../src/server/server.ts'

const stop = new AbortController()
afterAll(() => stop.abort())

const start = (routes: readonly Routes[] = [healthRoutes({})], listen = '127.0.0.1:0', signal = stop.signal) =>
  startServer({ listen, routes }, signal)

const item = (namespace: string, name: string) => ({ metadata: { namespace, name }, spec: { a: 1 } })
const topics = resourceRoutes('waybill.dev/v1alpha1', [
  { kind: 'Topic', plural: 'topics', list: () => [item('b', 'x'), item('a', 'z'), item('a', 'y')] },
])

test('the server serves metrics and health, and readiness names the checks that fail', async () => {
  let ready = false
  const { url } = await start([
    metricsRoutes(async () => 'waybill_up 1\n'),
    healthRoutes({ operator: () => ready, dispatcher: () => true }),
  ])
  const metrics = await fetch(`${url}/metrics`)
  expect([metrics.headers.get('content-type'), await metrics.text()]).toEqual([
    'text/plain; version=0.0.4; charset=utf-8',
    'waybill_up 1\n',
  ])
  expect((await fetch(`${url}/healthz`)).status).toBe(200)
  const waiting = await fetch(`${url}/readyz`)
  expect([waiting.status, await waiting.text()]).toEqual([503, 'not ready: operator\n'])
  ready = true
  expect((await fetch(`${url}/readyz`)).status).toBe(200)
})

test('the server serves resources in the shape of the Kubernetes API, by namespace and name', async () => {
  const { url } = await start([topics])
  const get = async (path: string) => {
    const answer = await fetch(`${url}/apis/waybill.dev/v1alpha1/${path}`)
    return { status: answer.status, body: (await answer.json()) as Record<string, unknown> }
  }
  expect(await get('topics')).toEqual({
    status: 200,
    body: {
      apiVersion: 'waybill.dev/v1alpha1',
      kind: 'TopicList',
      metadata: {},
      items: [item('a', 'y'), item('a', 'z'), item('b', 'x')],
    },
  })
  expect((await get('namespaces/a/topics')).body.items).toEqual([item('a', 'y'), item('a', 'z')])
  expect((await get('namespaces/a/topics/z')).body).toEqual(item('a', 'z'))
  expect(await get('namespaces/b/topics/z')).toMatchObject({
    status: 404,
    body: { kind: 'Status', reason: 'NotFound', message: 'topics.waybill.dev "z" not found in namespace b' },
  })
  expect(await get('colours')).toMatchObject({ status: 404, body: { kind: 'Status' } })
})

test('the server has no method that writes resources', async () => {
  const { url } = await start([topics])
  for (const method of ['POST', 'PUT', 'PATCH', 'DELETE']) {
    expect((await fetch(`${url}/apis/waybill.dev/v1alpha1/namespaces/a/topics/z`, { method })).status).toBe(404)
  }
})

test('a page gets the query and is answered as JSON, or with 204 if it has nothing', async () => {
  const { url } = await start([
    pageRoutes({ '/page': (query) => (query.has('none') ? undefined : { of: query.get('of') }) }),
  ])
  expect(await (await fetch(`${url}/page?of=a%20b`)).json()).toEqual({ of: 'a b' })
  const nothing = await fetch(`${url}/page?none`)
  expect([nothing.status, await nothing.text()]).toEqual([204, ''])
  expect(await (await fetch(`${url}/other`)).json()).toMatchObject({ code: 404, message: 'no such path: /other' })
})

test('the server stops when its signal aborts', async () => {
  const own = new AbortController()
  const { url } = await start(undefined, undefined, own.signal)
  own.abort()
  await expect(fetch(`${url}/healthz`)).rejects.toThrow()
})

test('a port that is in use is an error that explains what to do', async () => {
  const { url } = await start()
  const listen = new URL(url).host
  await expect(start(undefined, listen)).rejects.toThrow(ListenError)
  await expect(start(undefined, listen)).rejects.toThrow(
    `Cannot listen on ${listen}: the port is in use; choose another with --listen`,
  )
})

test.each(['', '9402', 'localhost', '127.0.0.1:99999', 'http://127.0.0.1:80', '127.0.0.1:x'])(
  'the text %j is not a valid address to listen on',
  async (listen) => {
    await expect(start(undefined, listen)).rejects.toThrow('give host:port, such as 127.0.0.1:9402')
  },
)

test.each(['[::1]:0', 'localhost:0', ':0'])('the text %j is a valid address to listen on', async (listen) => {
  const { url } = await start(undefined, listen)
  expect((await fetch(`${url.replace('[::]', '[::1]')}/healthz`)).status).toBe(200)
})
