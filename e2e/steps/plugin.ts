import assert from 'node:assert/strict'
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { cert, key } from '../../test/http/self-signed.ts'
import { eventually } from '../../test/support/wait.ts'
import { run } from '../command.ts'
import { release, system } from '../names.ts'
import { inRepository, type ShopWorld } from '../world.ts'

const account = 'support'

/** A user with rights on their own namespace alone looks at dead letters and replays them, with kubectl and its plugin. */
export const plugin = async (world: ShopWorld): Promise<void> => {
  const { cluster, report, shop } = world
  report.section('kubectl waybill')
  await using cleanUp = new AsyncDisposableStack()
  const folder = cleanUp.adopt(await mkdtemp(join(tmpdir(), 'waybill-plugin-')), (path) =>
    rm(path, { recursive: true }),
  )
  await mkdir(join(folder, 'as'))
  await symlink(inRepository('src/cli/main.ts'), join(folder, 'as', 'kubectl-waybill'))
  const called = `#!/bin/sh\nexec '${process.execPath}' '${join(folder, 'as', 'kubectl-waybill')}' "$@"\n`
  await writeFile(join(folder, 'kubectl-waybill'), called, { mode: 0o755 })
  const env = { ...cluster.env, PATH: `${folder}:${cluster.env.PATH}`, WAYBILL_NAMESPACE: system }
  const waybill = (...args: string[]) =>
    run('kubectl', ['waybill', ...args, '-n', 'shop', '--as-service-account', account], { env })

  await report.step('the data port is enabled, and a user gets the rights that the chart has for it', async () => {
    const secret = { type: 'kubernetes.io/tls', stringData: { 'tls.crt': cert, 'tls.key': key } }
    const metadata = { name: 'data-tls', namespace: system }
    await cluster.kubectl(['apply', '-f', '-'], {
      input: JSON.stringify({ apiVersion: 'v1', kind: 'Secret', metadata, ...secret }),
    })
    await cluster.kubectl(['-n', 'shop', 'create', 'serviceaccount', account])
    const values = ['dispatcher.data.enabled=true', 'dispatcher.data.tlsSecretName=data-tls']
    await upgradeWith(world, values)
    const role = `--clusterrole=${release}-dead-letters-admin`
    const subject = `--serviceaccount=shop:${account}`
    await cluster.kubectl(['-n', 'shop', 'create', 'rolebinding', account, role, subject])
  })
  await report.step(
    'kubectl waybill lists, shows, exports and replays a dead letter through the API server',
    async () => {
      await shop.billing.answer({ status: 400 })
      await shop.placeOrders(1)
      const found = await eventually(async () => {
        const { letters } = JSON.parse(await waybill('dl', 'ls', 'billing', '--by', 'none', '-o', 'json'))
        return letters[0] as { readonly id: string } | undefined
      })
      assert.match(await waybill('dl', 'show', 'billing', found.id, '--body'), /answered 400/)
      await waybill('dl', 'export', 'billing', '-o', join(folder, 'billing.jsonl'))
      await shop.billing.answer({ status: 204 })
      await waybill('dl', 'replay', 'billing', '--all', '-y')
      await eventually(async () => (await shop.held('waybill.dlq.shop.billing')) === 0)
    },
  )
}

const upgradeWith = async ({ cluster }: ShopWorld, values: readonly string[]): Promise<void> => {
  const sets = values.flatMap((value) => ['--set', value])
  const chart = inRepository('charts/waybill')
  await cluster.helm([
    '-n',
    system,
    'upgrade',
    release,
    chart,
    '--reuse-values',
    ...sets,
    '--wait',
    '--timeout',
    '120s',
  ])
}
