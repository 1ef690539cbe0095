import { execFile, spawn } from 'node:child_process'
import { cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { isBuiltin } from 'node:module'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { promisify } from 'node:util'
import { describeWithHelm, namespace } from '../support/api-server.ts'
import { installChartRoles } from '../support/chart.ts'
import { eventually } from '../support/wait.ts'

type Output = {
  readonly imports: readonly { readonly path: string; readonly kind: string; readonly external?: boolean }[]
  readonly inputs: Readonly<Record<string, unknown>>
  readonly entryPoint?: string
}

const run = promisify(execFile)
const folder = mkdtempSync(join(tmpdir(), 'waybill-image-'))
const main = join(folder, 'dist/cli/main.js')
let outputs: Readonly<Record<string, Output>>

beforeAll(async () => {
  const metafile = join(folder, 'meta.json')
  await run('npm', ['run', '--silent', 'bundle', '--', `--outdir=${join(main, '..')}`, `--metafile=${metafile}`])
  cpSync('package.json', join(folder, 'package.json'))
  outputs = JSON.parse(readFileSync(metafile, 'utf8')).outputs
})
afterAll(() => rmSync(folder, { recursive: true }))

test('the bundle of the image imports only built-in modules of Node, and runs', async () => {
  const outside = Object.values(outputs).flatMap(({ imports }) => imports.filter(({ external }) => external))
  expect(outside.map(({ path }) => path).filter((path) => !isBuiltin(path))).toEqual([])
  const { stdout } = await run(process.execPath, [main, '--version'])
  expect(stdout.trim()).toBe(JSON.parse(readFileSync('package.json', 'utf8')).version)
})

test('the bundle contains only the two files of the Kubernetes client that read a kubeconfig', () => {
  const inputs = Object.values(outputs).flatMap((output) => Object.keys(output.inputs))
  const client = inputs.filter((input) => input.includes('@kubernetes/')).map((input) => basename(input))
  expect(client.sort()).toEqual(['config_types.js', 'exec_auth.js'])
})

test.each(['operator', 'dispatcher'])(
  'the %s loads neither the Kubernetes client nor OpenTelemetry at start',
  (command) => {
    const loaded = new Set<string>()
    const load = (path: string): void => {
      const output = outputs[path]
      if (output === undefined || loaded.has(path)) return
      loaded.add(path)
      for (const one of output.imports) if (one.kind !== 'dynamic-import') load(one.path)
    }
    for (const [path, { entryPoint = '' }] of Object.entries(outputs)) {
      if (['src/cli/main.ts', `src/cli/${command}.ts`].includes(entryPoint)) load(path)
    }
    const inputs = [...loaded].flatMap((path) => Object.keys(outputs[path]?.inputs ?? {}))
    expect(inputs).toContain(`src/cli/${command}.ts`)
    expect(inputs.filter((input) => /@kubernetes\/|@opentelemetry\/(?!api\/)/.test(input))).toEqual([])
  },
)

/** Nothing is sent there: without a Broker there are no spans. */
const traced = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:9' }

describeWithHelm('the bundle of the image', () => {
  test.each(['operator', 'dispatcher'] as const)(
    'the image starts as %s with the rights of the chart, is ready, gets its Lease and exits with 0 on SIGTERM',
    async (command) => {
      const own = await namespace()
      const accounts = await installChartRoles({ namespace: own.name, watchNamespaces: [own.name] })
      const args = [command, '--listen', '127.0.0.1:0', '--watch-namespace', own.name, '--log-level', 'info']
      const child = spawn(process.execPath, [main, ...args], {
        env: { PATH: process.env.PATH, KUBECONFIG: accounts[command].kubeconfig, ...traced },
        stdio: ['ignore', 'ignore', 'pipe'],
      })
      let log = ''
      child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
        log += chunk
      })
      const ended = new Promise<number | null>((resolve) => child.on('close', resolve))
      try {
        const url = await eventually(() => /"url":"([^"]+)"/.exec(log)?.[1], { timeoutMs: 20_000 })
        await eventually(async () => (await fetch(`${url}/readyz`)).ok)
        await eventually(async () => await own.get('leases', `waybill-${command}`))
        child.kill('SIGTERM')
        expect([await ended, log.match(/"level":"(warn|error)".*/g)]).toEqual([0, null])
        expect(log).toContain('"Tracing')
      } finally {
        child.kill('SIGKILL')
        await own.drop()
      }
    },
  )
})
