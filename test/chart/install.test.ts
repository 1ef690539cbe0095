import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { kinds } from '../../src/api/kinds/kinds.ts'
import { group } from '../../src/api/resource.ts'
import { apiServer, describeWithHelm } from '../support/api-server.ts'
import { chart } from '../support/chart.ts'
import { command } from '../support/kubernetes/command.ts'
import { type RunningApiServer, startServer } from '../support/kubernetes/server.ts'

const policies = `deadletterpolicies.${group}`
const manifest = (name: string): string =>
  JSON.stringify({
    apiVersion: `${group}/v1alpha1`,
    kind: 'DeadLetterPolicy',
    metadata: { name, namespace: 'default', finalizers: ['waybill.dev/topology'] },
    spec: {},
  })

/** Each helm command first lists what the API server serves. */
const longMs = 120_000

describeWithHelm('installing into a cluster without Waybill', () => {
  let server: RunningApiServer
  let folder: string
  const kubectl = (...args: string[]) => command(server, 'kubectl', args)
  const apply = (input: string, ...args: string[]) =>
    command(server, 'kubectl', ['apply', ...args, '-f', '-'], { input })
  const helm = (...args: string[]) => command(server, 'helm', [...args, '--namespace', 'default'])
  const names = async (type: string) => (await kubectl('get', type, '-o', 'name')).trim().split('\n').sort()
  const crds = kinds.map(({ plural }) => `customresourcedefinition.apiextensions.k8s.io/${plural}.${group}`).sort()

  beforeAll(async () => {
    server = await startServer(apiServer().assets)
    folder = await mkdtemp(join(tmpdir(), 'waybill-chart-'))
  })
  afterAll(async () => {
    await server.stop()
    await rm(folder, { recursive: true })
  })

  test(
    'the packaged chart installs, its README command upgrades CRDs, and uninstalling keeps CRDs and resources',
    async () => {
      await helm('package', chart, '--destination', folder)
      const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string }
      const packaged = join(folder, `waybill-${version}.tgz`)
      await helm('install', 'waybill', packaged)
      expect(await names('crd')).toEqual(crds)
      expect(await names('deployment')).toEqual([
        'deployment.apps/waybill-dispatcher',
        'deployment.apps/waybill-operator',
      ])
      await apply(manifest('keep'))

      // A CRD as of an older version: helm upgrade does not change it, the command of the README does.
      const older = [{ op: 'replace', path: '/spec/versions/0/additionalPrinterColumns', value: [] }]
      await kubectl('patch', 'crd', policies, '--type=json', '-p', JSON.stringify(older))
      await helm('upgrade', 'waybill', packaged, '--set', 'operator.replicas=1')
      expect(await columns()).toBe('')
      await apply(await helm('show', 'crds', packaged), '--server-side', '--force-conflicts')
      expect(await columns()).toContain('Ready')

      await helm('uninstall', 'waybill')
      expect(
        await names('deployment,service,serviceaccount,clusterrole,clusterrolebinding,role,rolebinding'),
      ).not.toContain(expect.stringContaining('waybill'))
      expect(await names('crd')).toEqual(crds)
      expect(await names(policies)).toEqual([`deadletterpolicy.${group}/keep`])
    },
    longMs,
  )

  test(
    'the command of the chart README removes finalizers of resources that were deleted after uninstalling',
    async () => {
      await apply(await helm('show', 'crds', chart), '--server-side', '--force-conflicts')
      await kubectl('wait', '--for=condition=Established', `crd/${policies}`)
      await apply(manifest('late'))
      const readme = readFileSync(join(chart, 'README.md'), 'utf8')
      const [, everything = ''] = /^kubectl (delete waybill .*)$/m.exec(readme) ?? []
      await kubectl(...everything.split(' '), '--wait=false')
      const script = /^kubectl get waybill -A[\s\S]*?^ {2}done$/m.exec(readme)?.[0]
      const env = { PATH: `${dirname(server.assets.kubectl)}:${process.env.PATH}`, KUBECONFIG: server.kubeconfig }
      await promisify(execFile)('sh', ['-c', script ?? 'exit 1'], { env: { ...env, HOME: folder } })
      expect(await kubectl('get', 'waybill', '--all-namespaces')).toBe('')
    },
    longMs,
  )

  const columns = (): Promise<string> =>
    kubectl('get', 'crd', policies, '-o', 'jsonpath={.spec.versions[0].additionalPrinterColumns[*].name}')
})
