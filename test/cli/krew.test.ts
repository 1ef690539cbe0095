import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { parse } from 'yaml'

const folder = mkdtempSync(join(tmpdir(), 'waybill-krew-'))
afterAll(() => rmSync(folder, { recursive: true }))

/** https://krew.sigs.k8s.io/docs/developer-guide/plugin-manifest/ */
type Manifest = {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: { readonly name: string }
  readonly spec: {
    readonly version: string
    readonly homepage: string
    readonly shortDescription: string
    readonly platforms: readonly {
      readonly selector: object
      readonly uri: string
      readonly sha256: string
      readonly files: readonly object[]
      readonly bin: string
    }[]
  }
}

test('the plugin is an archive and a manifest that krew takes, and its help is that of kubectl waybill', () => {
  const env = { ...process.env, PLUGIN_URL: 'https://shop.example/download', PLUGIN_HOMEPAGE: 'https://shop.example' }
  execFileSync('sh', ['scripts/package-plugin.sh', join(folder, 'made')], { env })
  const { version } = JSON.parse(readFileSync('package.json', 'utf8'))
  const archive = join(folder, `made/waybill-plugin-${version}.tar.gz`)
  const manifest = parse(readFileSync(join(folder, 'made/waybill.yaml'), 'utf8')) as Manifest
  expect(manifest).toMatchObject({ apiVersion: 'krew.googlecontainertools.github.com/v1alpha2', kind: 'Plugin' })
  expect(manifest.metadata).toEqual({ name: 'waybill' })
  const { spec } = manifest
  expect([spec.version, spec.homepage]).toEqual([`v${version}`, 'https://shop.example'])
  expect(spec.shortDescription.length).toBeLessThanOrEqual(50)
  const sha256 = createHash('sha256').update(readFileSync(archive)).digest('hex')
  expect(spec.platforms).toEqual([
    {
      selector: { matchExpressions: [{ key: 'os', operator: 'In', values: ['linux', 'darwin'] }] },
      uri: `https://shop.example/download/waybill-plugin-${version}.tar.gz`,
      sha256,
      files: [{ from: '*', to: '.' }],
      bin: 'dist/cli/main.js',
    },
  ])
  // As krew installs it: unpacked, and a link with the name that kubectl looks for.
  const [store, bin] = [join(folder, 'store'), join(folder, 'bin')]
  for (const each of [store, bin]) mkdirSync(each)
  execFileSync('tar', ['-xzf', archive, '-C', store])
  symlinkSync(join(store, spec.platforms[0]?.bin ?? ''), join(bin, 'kubectl-waybill'))
  const help = execFileSync(join(bin, 'kubectl-waybill'), ['dead-letters', '--help'], {
    env: { PATH: `${dirname(process.execPath)}:${process.env.PATH}` },
    encoding: 'utf8',
  })
  expect(help).toMatch(/^Usage: kubectl waybill dead-letters/)
  expect(help).not.toMatch(/^ +waybill /m)
})
