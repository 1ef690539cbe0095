export type Login = { readonly token: string; readonly namespace?: string }

/** A kubeconfig with this token, as JSON, which is valid YAML. */
export const kubeconfig = (
  { url, caFile }: { readonly url: string; readonly caFile: string },
  { token, namespace = 'default' }: Login,
): string =>
  JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'test',
    clusters: [{ name: 'test', cluster: { server: url, 'certificate-authority': caFile } }],
    users: [{ name: 'test', user: { token } }],
    contexts: [{ name: 'test', context: { cluster: 'test', user: 'test', namespace } }],
  })
