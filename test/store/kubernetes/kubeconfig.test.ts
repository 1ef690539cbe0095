import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { stringify } from 'yaml'
import { readKubeconfig } from '../../../src/store/kubernetes/cluster/kubeconfig.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'waybill-kubeconfig-'))
})
afterEach(() => rm(folder, { recursive: true }))

const put = async (name: string, content: string | object): Promise<string> => {
  await writeFile(join(folder, name), typeof content === 'string' ? content : stringify(content))
  return join(folder, name)
}
const base64 = (text: string) => Buffer.from(text).toString('base64')
const config = (user: object, cluster: object = {}) => ({
  'current-context': 'shop',
  contexts: [{ name: 'shop', context: { cluster: 'here', user: 'me', namespace: 'orders' } }],
  clusters: [{ name: 'here', cluster: { server: 'https://here:6443/', ...cluster } }],
  users: [
    { name: 'other', user: { token: 'not mine' } },
    { name: 'me', user },
  ],
})
const readOne = async (user: object, cluster?: object) => readKubeconfig([await put('config', config(user, cluster))])

const users: { how: string; user: object; headers: object }[] = [
  { how: 'a token', user: { token: 'secret' }, headers: { authorization: 'Bearer secret' } },
  { how: 'nothing', user: {}, headers: {} },
  {
    how: 'a name and a password',
    user: { username: 'me', password: 'pass' },
    headers: { authorization: `Basic ${base64('me:pass')}` },
  },
  {
    how: 'a token, as somebody else',
    user: { token: 'secret', as: 'bob' },
    headers: { authorization: 'Bearer secret', 'impersonate-user': 'bob' },
  },
  {
    how: 'a program that tells a token',
    user: {
      exec: {
        command: 'sh',
        args: ['-c', 'echo "{\\"status\\":{\\"token\\":\\"$T\\"}}"'],
        env: [{ name: 'T', value: 't' }],
      },
    },
    headers: { authorization: 'Bearer t' },
  },
]

test.each(users)('a user of a kubeconfig is authenticated by $how', async ({ user, headers }) => {
  const { cluster, namespace, credentials } = await readOne(user)
  expect([cluster?.server, namespace]).toEqual(['https://here:6443', 'orders'])
  expect((await credentials()).headers).toEqual(headers)
})

test('paths in a kubeconfig are relative to it, and their files are read again each time', async () => {
  await Promise.all([put('ca', 'authority'), put('crt', 'certificate'), put('key', 'key'), put('token', 'first\n')])
  const files = { 'client-certificate': 'crt', 'client-key': 'key', tokenFile: 'token' }
  const { credentials } = await readOne(files, { 'certificate-authority': 'ca', 'tls-server-name': 'there' })
  const { tls, headers } = await credentials()
  expect([tls.ca, tls.cert, tls.key].map(String)).toEqual(['authority', 'certificate', 'key'])
  expect([tls.servername, headers.authorization]).toEqual(['there', 'Bearer first'])
  await put('token', 'second')
  expect((await credentials()).headers.authorization).toBe('Bearer second')
})

test('data in a kubeconfig takes precedence over the files that it names', async () => {
  const inline = { 'client-certificate-data': base64('inline'), 'client-certificate': 'none' }
  const trust = { 'certificate-authority-data': base64('authority'), 'insecure-skip-tls-verify': true }
  const { tls } = await (await readOne(inline, trust)).credentials()
  expect([tls.ca, tls.cert].map(String)).toEqual(['authority', 'inline'])
  expect(tls.rejectUnauthorized).toBe(false)
})

test('the first of several kubeconfigs that has an entry is used, and one of them may be missing', async () => {
  const [first, last] = await Promise.all([
    put('first', config({ token: 'first' })),
    put('last', config({ token: 'last' })),
  ])
  const nowhere = join(folder, 'none')
  const { credentials } = await readKubeconfig([nowhere, first, last])
  expect((await credentials()).headers).toEqual({ authorization: 'Bearer first' })
  expect((await readKubeconfig([nowhere, nowhere])).cluster).toBeUndefined()
  await expect(readKubeconfig([nowhere])).rejects.toThrow(/ENOENT/)
})

test.each([
  { what: 'is not YAML', content: ': [', says: /./ },
  {
    what: 'has a cluster without an address',
    content: config({}, { server: '' }),
    says: /clusters\[0\].cluster.server/,
  },
])('a kubeconfig that $what is an error', async ({ content, says }) => {
  await expect(readKubeconfig([await put('config', content)])).rejects.toThrow(says)
})

test.each([
  { what: 'a program that fails', user: { exec: { command: 'sh', args: ['-c', 'echo no >&2; exit 1'] } }, says: /no/ },
  { what: 'a program that is not there', user: { exec: { command: 'waybill-no-such-program' } }, says: /ENOENT/ },
  {
    what: 'auth-provider, which is no longer supported',
    user: { 'auth-provider': { name: 'oidc' } },
    says: /auth-provider oidc .* exec/,
  },
  { what: 'a file that is not there', user: { tokenFile: 'none' }, says: /ENOENT/ },
])('a user of a kubeconfig who is identified by $what is an error', async ({ user, says }) => {
  await expect((await readOne(user)).credentials()).rejects.toThrow(says)
})
