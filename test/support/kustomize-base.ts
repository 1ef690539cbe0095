import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../..', import.meta.url))

/** Where the base is. */
export const kustomizeBase = 'examples/gitops/kustomize/base/waybill.yaml'

/** What `helm` is given to render it: the defaults, with the CRDs, without the pod of `helm test`. */
export const baseArguments: readonly string[] = [
  ...['template', 'waybill', 'charts/waybill', '--namespace', 'waybill', '--kube-version', '1.36', '--no-hooks'],
]

const ofHelm =
  /^# Source: .*\n|^ +(app\.kubernetes\.io\/managed-by: Helm|helm\.sh\/chart: .*|helm\.sh\/resource-policy: .*)\n/gm
/** A mapping that held nothing else. */
const emptied = /^ +annotations:\n(?: +# .*\n)?(?=spec:)/gm

/** The base that follows from what helm rendered, without what only Helm reads. */
export const baseFrom = (rendered: string): string =>
  `# Generated from charts/waybill by npm run generate:kustomize.\n${rendered.replace(ofHelm, '').replace(emptied, '')}`

if (import.meta.main) {
  const helm = execFileSync('sh', ['scripts/find-helm.sh'], { cwd: root, encoding: 'utf8' }).trim()
  writeFileSync(`${root}${kustomizeBase}`, baseFrom(execFileSync(helm, baseArguments, { cwd: root, encoding: 'utf8' })))
}
