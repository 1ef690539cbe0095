import type { Log } from '../../log.ts'
import type { ApiError } from '../api/api-error.ts'

/**
 * Logs why watches fail, each cause once, however many watches it stops, and when all of them work again. Returns one pair
 * of listeners for each watch.
 */
export const createFaults = (log: Pick<Log, 'info' | 'warn'>) => {
  /** The cause for each watch that fails. */
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
        if (causes.delete(watch) && causes.size === 0) log.info({}, 'Watching the API server again')
      },
    }
  }
}

const explained = ({ status, message }: ApiError): { cause: string; message: string } => {
  switch (status) {
    case 404:
      return { cause: '404', message: 'Install the CustomResourceDefinitions: kubectl apply -f crds/' }
    case 401:
      return { cause: '401', message: 'The API server refused the credentials: check the token or kubeconfig' }
    case 403:
      return { cause: message, message: 'Missing RBAC permission: grant it to the service account' }
    default:
      // Down, starting and busy are one thing, seen at different moments.
      return { cause: 'away', message: 'Lost the watch on the API server; using the last known state' }
  }
}
