import { apiVersion, type Kind, type Resource } from '../../api/resource.ts'
import { collectionPath } from '../../store/kubernetes/api/paths.ts'
import { Failure } from '../failure.ts'
import { asking, serverOf } from './data-port.ts'
import type { Remote, RemoteOptions } from './remote.ts'

const statusServer = 'http://127.0.0.1:9402'
const dataServer = 'http://127.0.0.1:9403'
const answerWithinMs = 10_000

/** `waybill run`, on this machine unless the options name another. */
export const localRemote = (options: RemoteOptions): Remote => {
  const list = <K extends Kind>(kind: K, namespace?: string) =>
    fetchList(options.statusServer ?? statusServer, kind, namespace) as Promise<Resource<K>[]>
  const hint = 'start waybill run, set its data port with --server, or use --kubernetes'
  const ask: Remote['ask'] = (...asked) =>
    asking(serverOf(options.server ?? dataServer, options.token), globalThis.fetch, hint)(...asked)
  return {
    isCluster: false,
    namespace: 'default',
    list,
    get: async (kind, namespace, name) => (await list(kind, namespace)).find(({ metadata }) => metadata.name === name),
    async create(kind, manifest) {
      await ask(collectionPath(kind, manifest.metadata.namespace), new URLSearchParams(), {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ apiVersion, kind: kind.kind, ...manifest }),
        signal: AbortSignal.timeout(answerWithinMs),
      })
    },
    annotate: async () => {
      throw new Failure('waybill run reads its resources from files: set the annotation in the manifest')
    },
    ask,
    close: async () => undefined,
  }
}

const fetchList = async (server: string, { plural }: Kind, namespace: string | undefined): Promise<Resource[]> => {
  const within = namespace === undefined ? '' : `namespaces/${encodeURIComponent(namespace)}/`
  const url = `${server.replace(/\/+$/, '')}/apis/${apiVersion}/${within}${plural}`
  if (!URL.canParse(url)) throw new Failure(`the server must be a URL such as ${statusServer}, found "${server}"`)
  const response = await fetch(url, { signal: AbortSignal.timeout(answerWithinMs) }).catch((cause: Error) => {
    const reason = cause.cause instanceof Error ? cause.cause.message : cause.message
    const hint = 'start one with waybill run -f PATH, set its address, or use --kubernetes for the one in a cluster'
    throw new Failure(`no Waybill server answers at ${server} (${reason}): ${hint}`, { cause })
  })
  const body: unknown = await response.json().catch(() => undefined)
  if (!response.ok || !isList(body)) {
    throw new Failure(`${server} is not a Waybill server: it answered ${url} with ${response.status}`)
  }
  return body.items
}

const isList = (body: unknown): body is { items: Resource[] } =>
  typeof body === 'object' && body !== null && 'items' in body && Array.isArray(body.items)
