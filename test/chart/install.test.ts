import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { cp, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { kinds } from '../../src/api/kinds/kinds.ts'
import { group } from '../../src/api/resource.ts'
import { apiServer, describeWithHelm } from '../support/api-server.ts'
import { chart } from '../support/chart.ts'
import { command } from '../support/kubernetes/command.ts'
import { installCrds } from '../support/kubernetes/crds.ts'
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
  const apply = (input: string) => command(server, 'kubectl', ['apply', '-f', '-'], { input })
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

  /** The chart as it was when Helm itself installed the CRDs, and with older ones. */
  const legacy = async (): Promise<string> => {
    const copy = join(folder, 'legacy')
    await cp(chart, copy, { recursive: true })
    await rename(join(copy, 'definitions'), join(copy, 'crds'))
    await rm(join(copy, 'templates/crds.yaml'))
    const definition = join(copy, 'crds/deadletterpolicies.yaml')
    const text = await readFile(definition, 'utf8')
    await writeFile(definition, text.replace(/additionalPrinterColumns:[\s\S]*?\n {6}schema:/, 'schema:'))
    return copy
  }

  test(
    'an upgrade brings new CRDs, also from a chart that did not own them, and uninstalling keeps them and all resources',
    async () => {
      await helm('install', 'waybill', await legacy())
      expect(await names('crd')).toEqual(crds)
      expect(await names('deployment')).toEqual([
        'deployment.apps/waybill-dispatcher',
        'deployment.apps/waybill-operator',
      ])
      expect(await columns()).toBe('')
      await apply(manifest('keep'))

      await helm('package', chart, '--destination', folder)
      const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string }
      const packaged = join(folder, `waybill-${version}.tgz`)
      await expect(helm('upgrade', 'waybill', packaged)).rejects.toThrow('invalid ownership metadata')
      expect(await columns()).toBe('')
      await helm('upgrade', 'waybill', packaged, '--take-ownership')
      expect(await columns()).toContain('Ready')
      await helm('upgrade', 'waybill', packaged, '--set', 'operator.replicas=1')

      await helm('uninstall', 'waybill')
      expect(
        await names('deployment,service,serviceaccount,clusterrole,clusterrolebinding,role,rolebinding'),
      ).not.toContain(expect.stringContaining('waybill'))
      expect(await names('crd')).toEqual(crds)
      expect(await names(policies)).toEqual([`deadletterpolicy.${group}/keep`])
      await helm('install', 'waybill', packaged)
      await helm('uninstall', 'waybill')
    },
    longMs,
  )

  test(
    'the command of the chart README removes finalizers of resources that were deleted after uninstalling',
    async () => {
      await installCrds(server)
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
