import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { apiServer, describeWithApiServer, namespace } from '../support/api-server.ts'
import { freePort } from '../support/free-port.ts'
import type { Rule } from '../support/kubernetes/account.ts'
import { type FaultyProxy, faultyProxy } from '../support/kubernetes/faulty-proxy.ts'
import type { TestNamespace } from '../support/kubernetes/test-namespace.ts'
import { tcpProxy } from '../support/tcp-proxy.ts'
import { eventually } from '../support/wait.ts'
import { type Command, startCommand } from '../support/waybill.ts'
import { type Ended, waybill, waybillIn } from './waybill.ts'

const rule = (apiGroup: string, resources: string[], verbs: string[]): Rule => ({
  apiGroups: [apiGroup],
  resources,
  verbs,
})
const resources = rule('waybill.dev', ['*'], ['get', 'list', 'watch'])
const leases = rule('coordination.k8s.io', ['leases'], ['get', 'create', 'update'])

describe.each(['operator', 'dispatcher'])('waybill %s', (component) => {
  const run = (env: NodeJS.ProcessEnv, ...more: string[]): Promise<Ended> =>
    waybillIn(env, component, '--listen', '127.0.0.1:0', ...more)

  test(`waybill ${component} explains where it looks for a cluster if none is found`, async () => {
    const { code, err } = await run({ KUBECONFIG: '', KUBERNETES_SERVICE_HOST: '', HOME: '/nowhere' })
    expect([code, err]).toEqual([1, expect.stringMatching(/^Error: No cluster found: set KUBECONFIG .*\n$/)])
  })

  test(`waybill ${component} --help has examples`, async () => {
    const { code, out } = await waybill(component, '--help')
    expect(code).toBe(0)
    expect(out).toContain(`Examples:\n  waybill ${component}\n`)
  })

  describeWithApiServer('on an API server', () => {
    let own: TestNamespace
    let proxy: FaultyProxy
    beforeAll(async () => {
      own = await namespace()
      proxy = await faultyProxy(apiServer())
    })
    afterAll(async () => {
      await proxy.close()
      await own.drop()
    })

    test.each([
      ['resources', [leases], 'cannot list resource'],
      ['its lease', [resources], 'cannot get resource "leases"'],
    ])(
      `waybill ${component} names the missing permission on an API server that does not permit reading %s`,
      async (what, rules, says) => {
        const { kubeconfig } = await own.account(`without-${what.replaceAll(' ', '-')}`, rules)
        const { code, err } = await run({ KUBECONFIG: kubeconfig }, '--watch-namespace', own.name)
        expect([code, err.split('\n').at(-2)]).toEqual([
          1,
          expect.stringMatching(/^Error: missing RBAC permission, .*/),
        ])
        expect(err).toContain(says)
      },
    )

    const through = (server: string, token = apiServer().token): string => {
      const file = join(apiServer().folder, `${own.name}-${component}-${new URL(server).port}-${token.length}`)
      const config = {
        'current-context': 'test',
        clusters: [{ name: 'test', cluster: { server, 'insecure-skip-tls-verify': true } }],
        users: [{ name: 'test', user: { token } }],
        contexts: [{ name: 'test', context: { cluster: 'test', user: 'test', namespace: own.name } }],
      }
      writeFileSync(file, JSON.stringify(config))
      return file
    }

    test(`waybill ${component} explains what to install on an API server without the CRDs`, async () => {
      proxy.fault = ({ path }) => (path.includes('waybill.dev') ? { status: 404, reason: 'NotFound' } : undefined)
      const { code, err } = await run({ KUBECONFIG: through(proxy.cluster().server) })
      proxy.fault = () => undefined
      expect([code, err]).toEqual([
        1,
        expect.stringMatching(/Error: the cluster does not know \w+\.waybill\.dev: .* kubectl apply -f crds\/.*\n$/),
      ])
    })

    test(`waybill ${component} reports an API server that does not accept its token`, async () => {
      const { code, err } = await run({ KUBECONFIG: through(proxy.cluster().server, 'nobody') })
      expect([code, err]).toEqual([1, expect.stringMatching(/Error: the API server at \S+ does not accept .*\n$/)])
    })

    test(`waybill ${component} waits for an API server, alive and not ready, and stops at once on SIGTERM`, async () => {
      await using cleanUp = new AsyncDisposableStack()
      const port = await freePort()
      const env = { KUBECONFIG: through(`https://127.0.0.1:${port}`) }
      const start = async (): Promise<Command> =>
        cleanUp.adopt(await startCommand([component], { env }), ({ stop }) => stop())
      const [waiting, impatient] = await Promise.all([start(), start()])
      const said = 'The API server does not answer, waiting for it'
      await eventually(() => waiting.logs().includes(said) && impatient.logs().includes(said))
      expect((await fetch(`${waiting.server}/healthz`)).status).toBe(200)
      expect((await fetch(`${waiting.server}/readyz`)).status).toBe(503)
      expect(await impatient.kill('SIGTERM')).toBe(0)

      const target = { hostname: '127.0.0.1', port: Number(new URL(apiServer().url).port) }
      cleanUp.adopt(await tcpProxy(target, port), ({ close }) => close())
      await eventually(async () => (await fetch(`${waiting.server}/readyz`)).ok)
      expect(await waiting.kill('SIGTERM')).toBe(0)
      expect(waiting.logs().split(said)).toHaveLength(2)
    })
  })
})
