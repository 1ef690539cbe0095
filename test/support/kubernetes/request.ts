import { readFileSync } from 'node:fs'
import { Agent, fetch } from 'undici'
import { linesOf } from '../lines.ts'
import type { ApiServer } from './server.ts'

const agents = new Map<string, Agent>()

const agentOf = ({ url, caFile }: ApiServer): Agent => {
  const known = agents.get(url)
  if (known) return known
  const agent = new Agent({ connections: 16, connect: { ca: readFileSync(caFile, 'utf8') } })
  agents.set(url, agent)
  return agent
}

export type Answer = { readonly status: number; readonly body: unknown }

/** The lines of a watch, as administrator, until it ends or the signal is aborted. */
export async function* watchOf(server: ApiServer, path: string, signal: AbortSignal): AsyncIterable<string> {
  const headers = { authorization: `Bearer ${server.token}` }
  const { ok, status, body } = await fetch(`${server.url}${path}`, { dispatcher: agentOf(server), headers, signal })
  if (!ok || body === null) throw new Error(`GET ${path} was answered ${status}`)
  yield* linesOf(body)
}

/** Sends one request as administrator, with a JSON body of the given type. Resolves with any status. */
export const request = async (
  server: ApiServer,
  method: string,
  path: string,
  body?: unknown,
  type = 'application/json',
): Promise<Answer> => {
  const answer = await fetch(`${server.url}${path}`, {
    method,
    dispatcher: agentOf(server),
    headers: { authorization: `Bearer ${server.token}`, 'content-type': type },
    body: body === undefined ? null : JSON.stringify(body),
    signal: AbortSignal.timeout(30_000),
  })
  const text = await answer.text()
  return { status: answer.status, body: text.startsWith('{') ? JSON.parse(text) : text }
}
