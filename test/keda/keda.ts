import { execFile } from 'node:child_process'
import { copyFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { Agent, fetch } from 'undici'
import { freePort } from '../support/free-port.ts'
import { command } from '../support/kubernetes/command.ts'
import type { RunningApiServer } from '../support/kubernetes/server.ts'
import { startTethered, type Tethered } from '../support/tethered.ts'
import { eventually } from '../support/wait.ts'

export type Keda = {
  /** The value of the trigger of a ScaledObject, as a HorizontalPodAutoscaler is told it; `undefined` where it is told none. */
  measured(namespace: string, name: string): Promise<number | undefined>
  /** The last lines that both printed. */
  output(): string
  stop(): Promise<void>
}

/**
 * KEDA's operator and its metrics server on an API server, with its CRDs, as processes that cannot outlive this one.
 *
 * @param source a folder of KEDA's source with both programs in its `bin`
 */
export const startKeda = async (source: string, server: RunningApiServer): Promise<Keda> => {
  await command(server, 'kubectl', ['apply', '--server-side', '-f', join(source, 'config', 'crd', 'bases')])
  await command(server, 'kubectl', ['wait', '--for=condition=Established', '--timeout=30s', 'crd', '--all'])

  const folder = mkdtempSync(join(tmpdir(), 'waybill-keda-'))
  await writeCertificate(folder)
  const [grpc, metrics, health, secure, ofAdapter] = await Promise.all(Array.from({ length: 5 }, () => freePort()))
  const { kubeconfig: KUBECONFIG } = server
  const env = { KUBECONFIG, POD_NAMESPACE: 'default', KEDA_CLUSTER_OBJECT_NAMESPACE: 'default', WATCH_NAMESPACE: '' }
  const start = (program: string, ...flags: readonly string[]): Tethered =>
    startTethered(
      mkdtempSync(join(folder, `${program}-`)),
      // Its output stays when it ends.
      ['sh', '-c', 'exec "$@" >>"$0" 2>&1', join(folder, 'output'), join(source, 'bin', program), ...flags],
      { ...process.env, ...env },
    )
  const operator = start(
    'operator',
    `--cert-dir=${folder}`,
    `--metrics-service-bind-address=127.0.0.1:${grpc}`,
    `--metrics-bind-address=127.0.0.1:${metrics}`,
    `--health-probe-bind-address=127.0.0.1:${health}`,
  )
  const adapter = start(
    'adapter',
    `--cert-dir=${folder}`,
    `--tls-cert-file=${folder}/tls.crt`,
    `--tls-private-key-file=${folder}/tls.key`,
    `--metrics-service-address=127.0.0.1:${grpc}`,
    '--bind-address=127.0.0.1',
    `--secure-port=${secure}`,
    `--port=${ofAdapter}`,
    '--authentication-skip-lookup',
    ...['authentication', 'authorization', 'lister'].map((what) => `--${what}-kubeconfig=${server.kubeconfig}`),
  )
  const dispatcher = new Agent({ connect: { ca: readFileSync(join(folder, 'ca.crt'), 'utf8') } })
  const output = () => readFileSync(join(folder, 'output'), 'utf8').split('\n').slice(-40).join('\n')
  const stop = async () => {
    await dispatcher.destroy()
    await adapter.stop()
    await operator.stop()
    rmSync(folder, { recursive: true, force: true })
  }
  const ask = (what: string) =>
    fetch(`https://127.0.0.1:${secure}${what}`, { dispatcher, headers: { authorization: `Bearer ${server.token}` } })
  const measured = async (namespace: string, scaledObject: string) => {
    const query = new URLSearchParams({ labelSelector: `scaledobject.keda.sh/name=${scaledObject}` })
    const answer = await ask(`/apis/external.metrics.k8s.io/v1beta1/namespaces/${namespace}/s0-prometheus?${query}`)
    if (!answer.ok) return undefined
    const { items } = (await answer.json()) as { items: { value: string }[] }
    return items[0] && quantity(items[0].value)
  }
  const isUp = async () => (await fetch(`http://127.0.0.1:${health}/readyz`)).ok && (await ask('/readyz')).ok
  const ended = () => !operator.running() || !adapter.running()
  const up = await eventually(async () => (ended() ? 'ended' : await isUp()), { everyMs: 200 }).catch(() => 'silent')
  if (up !== true) {
    const said = output()
    await stop()
    throw new Error(`KEDA did not start (${up}):\n${said}`)
  }
  return { measured, output, stop }
}

/** Its own authority, as `tls.crt`, `tls.key` and `ca.crt`. */
const writeCertificate = async (folder: string): Promise<void> => {
  const [certificate, key] = [join(folder, 'tls.crt'), join(folder, 'tls.key')]
  const kind = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes']
  const name = ['-subj', '/CN=keda', '-addext', 'subjectAltName=IP:127.0.0.1']
  await promisify(execFile)('openssl', ['req', '-x509', ...kind, ...name, '-keyout', key, '-out', certificate])
  copyFileSync(certificate, join(folder, 'ca.crt'))
}

const suffixes: Readonly<Record<string, number>> = { m: 1e-3, k: 1e3 }

/** A quantity of Kubernetes as a number: `12`, `500m`, `2k`. */
const quantity = (text: string): number => {
  const factor = suffixes[text.slice(-1)]
  return factor === undefined ? Number(text) : Number(text.slice(0, -1)) * factor
}
