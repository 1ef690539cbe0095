import { generateKeyPairSync } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'

export type Ports = { readonly api: number; readonly etcd: number }

/**
 * Writes the files that apiServerFlags name: the key that signs tokens of service accounts, and the administrator's
 * token.
 */
export const writeSecrets = (folder: string, adminToken: string): void => {
  const { privateKey, publicKey } = generateKeyPairSync('ec', {
    namedCurve: 'P-256',
    privateKeyEncoding: { type: 'sec1', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  })
  const write = (name: string, text: string) => writeFileSync(join(folder, name), text, { mode: 0o600 })
  write('service-account.key', privateKey)
  write('service-account.pub', publicKey)
  write('tokens.csv', `${adminToken},admin,admin,"system:masters"\n`)
}

export const etcdFlags = (folder: string, { etcd }: Ports): string[] => [
  `--data-dir=${join(folder, 'etcd')}`,
  `--listen-client-urls=http://127.0.0.1:${etcd}`,
  `--advertise-client-urls=http://127.0.0.1:${etcd}`,
  '--listen-peer-urls=http://127.0.0.1:0',
  '--unsafe-no-fsync',
  '--log-level=warn',
]

/**
 * Role-based access control is on. Only the admission of service accounts for pods is off, because tests have no pods.
 */
export const apiServerFlags = (folder: string, { api, etcd }: Ports): string[] => [
  `--etcd-servers=http://127.0.0.1:${etcd}`,
  '--bind-address=127.0.0.1',
  '--advertise-address=127.0.0.1',
  `--secure-port=${api}`,
  `--cert-dir=${folder}`,
  '--endpoint-reconciler-type=none',
  '--service-cluster-ip-range=10.0.0.0/24',
  '--authorization-mode=RBAC',
  '--disable-admission-plugins=ServiceAccount',
  `--token-auth-file=${join(folder, 'tokens.csv')}`,
  '--service-account-issuer=https://kubernetes.default.svc',
  `--service-account-key-file=${join(folder, 'service-account.pub')}`,
  `--service-account-signing-key-file=${join(folder, 'service-account.key')}`,
  '--allow-privileged=true',
]
