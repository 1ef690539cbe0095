import { mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Document, parseAllDocuments } from 'yaml'
import type { Vhost } from '../../../test/support/vhost.ts'

/**
 * Copies the manifests of `folder`, with their comments, into a temporary folder. Only what depends on this machine
 * differs: the broker, its virtual host, and the ports of subscribers if theirs were in use.
 */
export const ownCopy = (folder: string, vhost: Vhost, ports: Readonly<Record<string, number>>): string => {
  const copy = mkdtempSync(join(tmpdir(), 'waybill-demo-'))
  for (const file of readdirSync(folder).filter((name) => name.endsWith('.yaml'))) {
    const documents = parseAllDocuments(readFileSync(join(folder, file), 'utf8')) as Document[]
    for (const document of documents) readdress(document, vhost, ports)
    writeFileSync(join(copy, file), documents.map(String).join(''))
  }
  return copy
}

const readdress = (document: Document, vhost: Vhost, ports: Readonly<Record<string, number>>): void => {
  const kind = document.get('kind')
  if (kind === 'Secret') document.set('stringData', vhost.secret)
  if (kind === 'Broker') document.setIn(['spec', 'vhost'], vhost.name)
  if (kind !== 'Subscription') return
  const port = ports[String(document.getIn(['metadata', 'name']))]
  if (port !== undefined) document.setIn(['spec', 'subscriber', 'serviceRef', 'port'], port)
}
