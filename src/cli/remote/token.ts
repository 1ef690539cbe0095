import { audience } from '../../server/letters/cluster-access.ts'
import type { Client } from '../../store/kubernetes/api/client.ts'
import { exits, Failure } from '../failure.ts'
import { asked } from './asked.ts'
import { tokenText } from './data-port.ts'
import type { RemoteOptions } from './remote.ts'

/** The shortest that the API server makes. */
const lastsSeconds = 600

/**
 * The token for the data port: one that was given, or one for the ServiceAccount that was named, made for this purpose alone.
 * That of the kubeconfig is for the API server, and never sent to anybody else.
 *
 * @throws Failure
 */
export const tokenFor = async (
  client: Pick<Client, 'request'>,
  { token, asServiceAccount }: RemoteOptions,
  namespace: string,
): Promise<string> => {
  const given = token ?? (asServiceAccount === undefined ? process.env.WAYBILL_TOKEN : undefined)
  if (given) return tokenText(given)
  if (asServiceAccount === undefined) throw new Failure(missing, { exitCode: exits.notPermitted })
  const [name = '', within = namespace] = asServiceAccount.split('/').toReversed()
  const account = `${encodeURIComponent(within)}/serviceaccounts/${encodeURIComponent(name)}`
  const made = await asked(() =>
    client.request<{ readonly status: { readonly token: string } }>({
      method: 'POST',
      path: `/api/v1/namespaces/${account}/token`,
      body: {
        apiVersion: 'authentication.k8s.io/v1',
        kind: 'TokenRequest',
        spec: { audiences: [audience], expirationSeconds: lastsSeconds },
      },
    }),
  )
  return made.status.token
}

const missing =
  'needs a token for the dead letters: name a ServiceAccount with --as-service-account, or make one with ' +
  `kubectl create token ACCOUNT --audience ${audience} and set --token or WAYBILL_TOKEN`
