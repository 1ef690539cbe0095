import { copyFile, mkdtemp, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createClient } from '../../../src/store/kubernetes/api/client.ts'
import { type Cluster, ClusterError, findCluster, fromPod } from '../../../src/store/kubernetes/cluster/cluster.ts'
import { apiServer, describeWithApiServer, namespace } from '../../support/api-server.ts'
import { kubeconfig } from '../../support/kubernetes/kubeconfig.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'waybill-account-'))
})
afterEach(() => rm(folder, { recursive: true }))

/** As the kubelet does it: never half written. */
const put = async (name: string, text: string) => {
  await writeFile(join(folder, `.${name}`), text)
  await rename(join(folder, `.${name}`), join(folder, name))
}

test('a pod without a service account is reported as an error that names what is missing', async () => {
  await expect(fromPod('10.0.0.1', '443', folder)).rejects.toThrow(/token: give the pod a service account/)
})

test('a pod uses its namespace and the token that is mounted at the time of the request', async () => {
  await Promise.all([put('token', 'first\n'), put('ca.crt', 'authority'), put('namespace', 'shop')])
  const cluster = await fromPod('fd00::1', '6443', folder)
  expect([cluster.server, cluster.namespace]).toEqual(['https://[fd00::1]:6443', 'shop'])
  expect(await cluster.headers()).toEqual({ authorization: 'Bearer first' })
  await put('token', 'second')
  await put('ca.crt', 'renewed')
  expect(await cluster.headers()).toEqual({ authorization: 'Bearer second' })
  expect(String(cluster.tls.ca)).toBe('renewed')
})

test('a kubeconfig that does not exist, or has no context, is reported as an error', async () => {
  const before = process.env.KUBECONFIG
  try {
    process.env.KUBECONFIG = join(folder, 'none')
    await expect(findCluster()).rejects.toThrow(ClusterError)
    await put('config', JSON.stringify({ apiVersion: 'v1', kind: 'Config' }))
    process.env.KUBECONFIG = join(folder, 'config')
    await expect(findCluster()).rejects.toThrow(/kubectl config use-context/)
  } finally {
    if (before === undefined) delete process.env.KUBECONFIG
    else process.env.KUBECONFIG = before
  }
})

describeWithApiServer('a cluster', () => {
  const whoAmI = async (cluster: Cluster): Promise<string> => {
    const client = createClient(cluster, { component: 'test', metrics: { apiRequests: { inc() {} } } })
    const path = '/apis/authentication.k8s.io/v1/selfsubjectreviews'
    const body = { apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview' }
    try {
      type Review = { status: { userInfo: { username: string } } }
      const { status } = await client.request<Review>({ method: 'POST', path, body })
      return status.userInfo.username
    } finally {
      await client.close()
    }
  }

  test('a cluster is found by a kubeconfig, and in a pod by its service account', async () => {
    const own = await namespace()
    const { token } = await own.account('waybill')
    const before = process.env.KUBECONFIG
    try {
      await put('config', kubeconfig(apiServer(), { token, namespace: own.name }))
      process.env.KUBECONFIG = join(folder, 'config')
      const found = await findCluster()
      expect(found.namespace).toBe(own.name)
      expect(await whoAmI(found)).toBe(`system:serviceaccount:${own.name}:waybill`)
    } finally {
      if (before === undefined) delete process.env.KUBECONFIG
      else process.env.KUBECONFIG = before
    }

    await Promise.all([put('token', token), put('namespace', own.name)])
    await copyFile(apiServer().caFile, join(folder, 'ca.crt'))
    const { hostname, port } = new URL(apiServer().url)
    const mounted = await fromPod(hostname, port, folder)
    expect(await whoAmI(mounted)).toBe(`system:serviceaccount:${own.name}:waybill`)
    await own.drop()
  })

  test('an untrusted authority or a refused token is an error, and no error shows the token', async () => {
    const canary = 'canary-token-of-this-test'
    await Promise.all([put('token', canary), put('namespace', 'shop'), put('ca.crt', '')])
    const { hostname, port } = new URL(apiServer().url)
    const distrusting = await whoAmI(await fromPod(hostname, port, folder)).catch((error: Error) => error)
    await copyFile(apiServer().caFile, join(folder, 'ca.crt'))
    const refused = await whoAmI(await fromPod(hostname, port, folder)).catch((error: Error) => error)
    expect([distrusting, refused]).toMatchObject([{ status: 0, reason: 'Unreachable' }, { status: 401 }])
    for (const error of [distrusting, refused]) {
      for (let cause: unknown = error; cause instanceof Error; cause = cause.cause) {
        expect(`${cause.message} ${cause.stack} ${JSON.stringify(cause)}`).not.toContain(canary)
      }
    }
  })
})
