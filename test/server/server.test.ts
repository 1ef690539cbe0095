import { ListenError, type ServerOptions, startServer } from '../../src/server/server.ts'

const stop = new AbortController()
afterAll(() => stop.abort())

const item = (namespace: string, name: string) => ({ metadata: { namespace, name }, spec: { a: 1 } })
const start = (more: Partial<ServerOptions> = {}, signal = stop.signal) =>
  startServer(
    {
      listen: '127.0.0.1:0',
      metrics: async () => 'waybill_up 1\n',
      readiness: {},
      apiVersion: 'waybill.dev/v1alpha1',
      kinds: [{ kind: 'Topic', plural: 'topics', list: () => [item('b', 'x'), item('a', 'z'), item('a', 'y')] }],
      ...more,
    },
    signal,
  )

test('metrics and health', async () => {
  let ready = false
  const { url } = await start({ readiness: { operator: () => ready, dispatcher: () => true } })
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

test('resources in the shape of the Kubernetes API, by namespace and name', async () => {
  const { url } = await start()
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

test('nothing can be written', async () => {
  const { url } = await start()
  for (const method of ['POST', 'PUT', 'PATCH', 'DELETE']) {
    expect((await fetch(`${url}/apis/waybill.dev/v1alpha1/namespaces/a/topics/z`, { method })).status).toBe(404)
  }
})

test('it ends with the signal', async () => {
  const own = new AbortController()
  const { url } = await start({}, own.signal)
  own.abort()
  await expect(fetch(`${url}/healthz`)).rejects.toThrow()
})

test('a port in use is said with what to do', async () => {
  const { url } = await start()
  const listen = new URL(url).host
  await expect(start({ listen })).rejects.toThrow(ListenError)
  await expect(start({ listen })).rejects.toThrow(
    `Cannot listen on ${listen}: the port is in use; choose another with --listen`,
  )
})

test.each(['', '9402', 'localhost', '127.0.0.1:99999', 'http://127.0.0.1:80', '127.0.0.1:x'])(
  '%j is no address to listen on',
  async (listen) => {
    await expect(start({ listen })).rejects.toThrow('give host:port, such as 127.0.0.1:9402')
  },
)

test.each(['[::1]:0', 'localhost:0', ':0'])('%j is one', async (listen) => {
  const { url } = await start({ listen })
  expect((await fetch(`${url.replace('[::]', '[::1]')}/healthz`)).status).toBe(200)
})
