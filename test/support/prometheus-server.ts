import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { stringify } from 'yaml'
import { freePort } from './free-port.ts'
import { findPrometheus } from './prometheus.ts'
import { eventually } from './wait.ts'

/** A series of the answer to a query: its labels, and its value now. */
export type Sample = { readonly metric: Readonly<Record<string, string>>; readonly value: readonly [number, string] }

export type PrometheusServer = {
  readonly url: string
  /**
   * The result of an expression now.
   *
   * @throws if the expression is invalid, with the reason
   */
  query(expression: string): Promise<readonly Sample[]>
  stop(): Promise<void>
}

/** Prometheus, which scrapes `/metrics` of this base URL twice a second and evaluates a file of rules as often. */
export const startPrometheus = async (target: string, rules: string): Promise<PrometheusServer> => {
  const { prometheus } = await findPrometheus()
  const folder = mkdtempSync(join(tmpdir(), 'waybill-prometheus-'))
  const config = {
    global: { scrape_interval: '500ms', scrape_timeout: '500ms', evaluation_interval: '500ms' },
    rule_files: [rules],
    scrape_configs: [
      { job_name: 'waybill', honor_labels: true, static_configs: [{ targets: [new URL(target).host] }] },
    ],
  }
  writeFileSync(join(folder, 'prometheus.yml'), stringify(config))
  const address = `127.0.0.1:${await freePort()}`
  const child = spawn(
    prometheus,
    ['--config.file=prometheus.yml', '--storage.tsdb.path=data', `--web.listen-address=${address}`],
    { cwd: folder, stdio: 'ignore' },
  )
  const killed = () => child.kill('SIGKILL')
  process.once('exit', killed)
  const exited = once(child, 'close')
  const stop = async () => {
    killed()
    await exited
    process.off('exit', killed)
    rmSync(folder, { recursive: true, force: true })
  }
  const url = `http://${address}`
  try {
    await eventually(async () => child.exitCode === null && (await fetch(`${url}/-/ready`)).ok, { everyMs: 50 })
  } catch (error) {
    await stop()
    throw error
  }
  const query = async (expression: string): Promise<readonly Sample[]> => {
    const body = new URLSearchParams({ query: expression })
    const answer = (await (await fetch(`${url}/api/v1/query`, { method: 'POST', body })).json()) as Answer
    if (answer.status !== 'success') throw new Error(`${answer.error} in ${expression}`)
    return answer.data.result
  }
  return { url, query, stop }
}

type Answer =
  | { readonly status: 'success'; readonly data: { readonly result: readonly Sample[] } }
  | { readonly status: 'error'; readonly error: string }
