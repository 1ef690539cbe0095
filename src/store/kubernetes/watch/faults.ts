import type { Log } from '../../log.ts'
import type { ApiError } from '../api/api-error.ts'

/**
 * Logs why resources cannot be watched, each cause once, however many watches it holds up, and when they can again.
 * Returns one pair of listeners a watch.
 */
export const createFaults = (log: Pick<Log, 'info' | 'warn'>) => {
  /** What holds up each watch. */
  const causes = new Map<object, string>()
  return () => {
    const watch = {}
    return {
      failed(error: ApiError): void {
        const { cause, message } = explained(error)
        const isNews = ![...causes.values()].includes(cause)
        causes.set(watch, cause)
        if (isNews) log.warn({ error }, message)
      },
      recovered(): void {
        if (causes.delete(watch) && causes.size === 0) log.info({}, 'Watching the resources on the API server again')
      },
    }
  }
}

const explained = ({ status, message }: ApiError): { cause: string; message: string } => {
  switch (status) {
    case 404:
      return { cause: '404', message: 'Install the CustomResourceDefinitions: kubectl apply -f crds/' }
    case 401:
      return { cause: '401', message: 'The API server does not accept our credentials: check the token or kubeconfig' }
    case 403:
      return {
        cause: message,
        message: 'Missing RBAC permission: grant it to the service account; until then its namespace is left alone',
      }
    default:
      // Down, starting and busy are one thing, seen at different moments.
      return { cause: 'away', message: 'Lost the watch on the API server; using the last known state' }
  }
}
