import { spawn } from 'node:child_process'
import { linesOf } from '../test/support/lines.ts'
import type { Cluster } from './cluster.ts'

/** Requests to the API server, as the user of the kubeconfig, and through it to pods and Services. */
export type ApiProxy = {
  /** The JSON of a path. @throws on an answer that is not 2xx */
  get<T>(path: string): Promise<T>
  text(path: string): Promise<string>
  post(path: string, body: object): Promise<void>
  /** The lines of a watch, until the API server ends it or the signal is aborted. */
  watch(path: string, signal: AbortSignal): AsyncIterable<string>
  close(): void
}

/** Starts `kubectl proxy` on a free port. */
export const openApiProxy = async ({ env }: Cluster): Promise<ApiProxy> => {
  const child = spawn('kubectl', ['proxy', '--port=0'], { env, stdio: ['ignore', 'pipe', 'inherit'] })
  const kill = () => child.kill()
  process.once('exit', kill)
  const base = await new Promise<string>((resolve, reject) => {
    let said = ''
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      said += chunk
      const address = /Starting to serve on (\S+)/.exec(said)?.[1]
      if (address) resolve(`http://${address}`)
    })
    child.once('error', reject).once('exit', (code) => reject(new Error(`kubectl proxy exited with code ${code}`)))
  })
  const ask = async (path: string, init: RequestInit = {}): Promise<string> => {
    const answer = await fetch(base + path, { ...init, signal: AbortSignal.timeout(10_000) })
    const text = await answer.text()
    if (!answer.ok)
      throw new Error(`${init.method ?? 'GET'} ${path} was answered ${answer.status}: ${text.slice(0, 300)}`)
    return text
  }
  return {
    get: async <T>(path: string) => JSON.parse(await ask(path)) as T,
    text: ask,
    async post(path, body) {
      await ask(path, { method: 'POST', body: JSON.stringify(body) })
    },
    watch: (path, signal) => watched(base + path, signal),
    close() {
      process.off('exit', kill)
      kill()
    },
  }
}

async function* watched(url: string, signal: AbortSignal): AsyncIterable<string> {
  const answer = await fetch(url, { signal })
  if (!answer.ok || answer.body === null) throw new Error(`GET ${url} was answered ${answer.status}`)
  yield* linesOf(answer.body)
}
