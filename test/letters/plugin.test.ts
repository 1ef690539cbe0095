import { X509Certificate } from 'node:crypto'
import { chmodSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { group } from '../../src/api/resource.ts'
import { findCluster } from '../../src/store/kubernetes/cluster/cluster.ts'
import { forward } from '../../src/store/kubernetes/forward/forward.ts'
import { startAs } from '../cli/waybill.ts'
import { cert } from '../http/self-signed.ts'
import { apiServer, describeWithHelm } from '../support/api-server.ts'
import type { ClusterShop } from '../support/cluster-shop.ts'
import { command } from '../support/kubernetes/command.ts'
import { startKubelet } from '../support/kubernetes/kubelet.ts'
import type { Subscriber } from '../support/subscriber.ts'
import { eventually } from '../support/wait.ts'
import type { Command } from '../support/waybill.ts'
import { openClusterLetters } from './cluster-letters.ts'

describeWithHelm('kubectl waybill', () => {
  const cleanUp = new AsyncDisposableStack()
  let shop: ClusterShop
  let subscriber: Subscriber
  let folder: string
  let dispatcher: Command
  afterAll(() => cleanUp.disposeAsync())

  beforeAll(async () => {
    const opened = await openClusterLetters(
      {
        messages: [
          { routingKey: 'a', body: '{"order":1}' },
          { routingKey: 'a', body: '{"order":2}' },
        ],
        args: ['--identity', 'dispatcher-0'],
        async prepare({ own }, more) {
          const kubelet = more.adopt(await startKubelet(apiServer()), ({ close }) => close())
          await kubelet.pod(own.name, 'dispatcher-0')
        },
      },
      cleanUp,
    )
    ;({ shop, subscriber, dispatcher, folder } = opened)
    symlinkSync(join(import.meta.dirname, '../../src/cli/main.ts'), join(folder, 'kubectl-waybill'))
  }, 120_000)

  const accountWith = async (name: string, ...clusterRoles: string[]) => {
    const { kubeconfig } = await shop.own.account(name, [
      { apiGroups: [''], resources: ['serviceaccounts/token'], verbs: ['create'] },
    ])
    const bind = (binding: string, role: string) =>
      shop.own.kubectl(['create', 'rolebinding', binding, role, `--serviceaccount=${shop.own.name}:${name}`])
    for (const role of clusterRoles) await bind(`${name}-${role}`, `--clusterrole=${role}`)
    return { kubeconfig, mayForward: () => bind(`${name}-port`, `--role=${shop.own.name}-waybill-data-port`) }
  }

  const as = (kubeconfig: string, ...args: string[]) =>
    startAs(join(folder, 'kubectl-waybill'), ...args, '--kubeconfig', kubeconfig).ended

  test('it reaches the leader through the API server, with the rights of the user and of no other', async () => {
    const admin = `${shop.own.name}-waybill-dead-letters-admin`
    const { kubeconfig, mayForward } = await accountWith('support', admin)
    const where = ['--waybill-namespace', shop.own.name, '--lease-name', `${shop.own.name}-waybill-dispatcher`]
    const dl = (...args: string[]) => as(kubeconfig, 'dl', ...args, '--as-service-account', 'support', ...where)
    const without = await dl('ls', 'billing')
    expect([without.code, without.err]).toEqual([3, expect.stringContaining('leases')])
    await mayForward()
    const listed = await eventually(async () => {
      const found = await dl('ls', 'billing', '--by', 'none', '-o', 'json')
      if (found.code !== 0) throw new Error(found.err)
      return found
    })
    const { letters } = JSON.parse(listed.out) as { letters: { id: string }[] }
    expect(letters).toHaveLength(2)
    const shown = await dl('show', 'billing', letters[0]?.id ?? '', '--body')
    expect([shown.code, shown.out]).toEqual([0, expect.stringMatching(/answered 400(.|\n)*\{"order":1\}/)])
    const file = join(folder, 'letters.jsonl')
    expect((await dl('export', 'billing', '-o', file)).code).toBe(0)
    expect(readFileSync(file, 'utf8').trimEnd().split('\n')).toHaveLength(3)
    const imported = await dl('import', 'billing', file)
    expect([imported.code, imported.err]).toEqual([0, '0 dead letters imported, 2 were there already\n'])
  }, 120_000)

  test('a pod with another certificate than the Lease says gets no request', async () => {
    const cluster = await findCluster({}, { kubeconfig: apiServer().kubeconfig })
    const port = Number(new URL(/"dataPort":"([^"]+)"/.exec(dispatcher.logs())?.[1] ?? '').port)
    const to = { namespace: shop.own.name, pod: 'dispatcher-0', port }
    const { fingerprint256 } = new X509Certificate(cert)
    const status = async (fingerprint: string): Promise<number> => {
      const { fetch, close } = forward(cluster, to, fingerprint)
      try {
        return (await fetch('https://dispatcher-0/', {})).status
      } finally {
        await close()
      }
    }
    expect(await status(fingerprint256)).toBe(404)
    const refused = await status(fingerprint256.replace(/^../, '00')).catch(({ cause }: Error) => cause)
    expect(String(refused)).toMatch(/it has another certificate than its Lease says/)
  }, 60_000)

  test('without a token it says how to make one; a kubeconfig of its own is sent to nobody', async () => {
    const { kubeconfig } = await accountWith('nobody')
    const { code, err } = await as(kubeconfig, 'dl', 'ls', 'billing')
    expect([code, err]).toEqual([3, expect.stringContaining('--as-service-account')])
  }, 60_000)

  test('kubectl itself completes its commands and the names of subscriptions', async () => {
    const { kubeconfig } = await shop.own.account('typist', [
      { apiGroups: [group], resources: ['subscriptions'], verbs: ['list'] },
    ])
    const program = join(folder, 'kubectl_complete-waybill')
    writeFileSync(
      program,
      `#!/bin/sh\nexec '${process.execPath}' '${join(folder, 'kubectl-waybill')}' __complete "$@"\n`,
    )
    chmodSync(program, 0o755)
    const path = `${folder}:${dirname(process.execPath)}`
    const asked = (...words: string[]) => command(apiServer(), 'kubectl', ['__complete', 'waybill', ...words], { path })
    expect(await asked('dl', 'r')).toMatch(/^replay\t.*\nrestore\t.*\n:4\n/)
    // It gives up after a second, which a busy machine may need.
    await eventually(async () => /^billing\n:4\n/.test(await asked('dl', 'ls', '--kubeconfig', kubeconfig, 'b')))
  }, 60_000)

  test('get, groups and replays need the API server alone', async () => {
    const { kubeconfig } = await shop.own.account('editor', [
      { apiGroups: [group], resources: ['*'], verbs: ['get', 'list', 'create'] },
    ])
    const got = await as(kubeconfig, 'get', 'subscriptions', '-o', 'wide')
    expect([got.code, got.out]).toEqual([0, expect.stringMatching(new RegExp(`^${shop.own.name} +billing `, 'm'))])
    await eventually(async () => {
      const { out } = await as(kubeconfig, 'dl', 'ls')
      return new RegExp(`^${shop.own.name}/billing +2 `, 'm').test(out)
    })
    const all = await as(kubeconfig, 'dl', 'ls', '-A')
    expect([all.code, all.err]).toEqual([3, expect.stringContaining('cannot list resource "subscriptions"')])
    subscriber.answer(204)
    const replayed = await as(kubeconfig, 'dl', 'replay', 'billing', '--status', '4xx', '-y')
    expect([replayed.code, replayed.err]).toEqual([0, expect.stringContaining('2 dead letters delivered')])
  }, 120_000)
})
