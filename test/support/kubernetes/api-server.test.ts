import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { deadLetterPolicy } from '../../../src/api/kinds/dead-letter-policy.ts'
import { apiServer, describeWithApiServer, kubectl, namespace, ownApiServer } from '../api-server.ts'
import { eventually } from '../wait.ts'
import { findApiServer } from './find.ts'
import { request } from './request.ts'

const policy = { apiVersion: 'waybill.dev/v1alpha1', kind: deadLetterPolicy.kind, metadata: { name: 'keep' }, spec: {} }

describeWithApiServer('the API server of the tests', () => {
  test('the API server of the tests enforces the rules of a service account', async () => {
    const own = await namespace()
    await own.apply(policy)
    const rules = [{ apiGroups: ['waybill.dev'], resources: [deadLetterPolicy.plural], verbs: ['get'] }]
    const { kubeconfig } = await own.account('reader', rules)
    const read = await own.kubectl(['get', deadLetterPolicy.plural, 'keep', '-o', 'name'], { kubeconfig })
    expect(read.trim()).toBe('deadletterpolicy.waybill.dev/keep')
    await expect(own.kubectl(['get', deadLetterPolicy.plural], { kubeconfig })).rejects.toThrow('forbidden')
    await own.drop()
  })

  test('the API server of the tests removes a test namespace with its objects, even those with finalizers', async () => {
    const own = await namespace()
    await own.apply({ ...policy, metadata: { name: 'keep', finalizers: ['waybill.dev/topology'] } })
    await own.drop()
    expect(await kubectl(['get', 'namespace', own.name, '--ignore-not-found'])).toBe('')
    expect(await own.get(deadLetterPolicy.plural, 'keep')).toBeUndefined()
  })

  test('the API server of the tests restarts after a crash, on the same address and with its data', async () => {
    const server = await ownApiServer()
    try {
      const path = '/apis/waybill.dev/v1alpha1/namespaces/default/deadletterpolicies'
      await request(server, 'POST', path, policy)
      server.signal('SIGKILL')
      await expect(request(server, 'GET', path)).rejects.toThrow()
      await server.resume()
      expect(await request(server, 'GET', `${path}/keep`)).toMatchObject({ status: 200 })
    } finally {
      await server.stop()
    }
  }, 60_000)

  test('the API server of the tests does not outlive the process that started it, even if that is killed', async () => {
    const code = `
      import { startServer } from ${JSON.stringify(new URL('server.ts', import.meta.url).href)}
      console.log((await startServer(${JSON.stringify(apiServer().assets)})).folder)
      setInterval(() => {}, 1_000)`
    const starter = spawn(process.execPath, ['--input-type=module', '-e', code], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const [chunk] = await once(starter.stdout, 'data')
    const folder = String(chunk).trim()
    const left = () => readdirSync(dirname(folder)).filter((name) => name.startsWith(basename(folder)))
    expect(left()).toHaveLength(2)
    starter.kill('SIGKILL')
    await eventually(() => left().length === 0)
  })
})

test('tests without kube-apiserver and go are skipped, or fail under CI, and print what to install', async () => {
  const empty = mkdtempSync(join(tmpdir(), 'waybill-cache-'))
  const env = { WAYBILL_CACHE: empty, PATH: empty }
  const lines: string[] = []
  expect(await findApiServer({ env, log: (line) => void lines.push(line) })).toBeUndefined()
  expect(lines.join()).toMatch(/SKIPPED[\s\S]*there is no go[\s\S]*KUBEBUILDER_ASSETS/)
  await expect(findApiServer({ env: { ...env, CI: 'true' }, log: () => {} })).rejects.toThrow('KUBEBUILDER_ASSETS')
  rmSync(empty, { recursive: true })
})
