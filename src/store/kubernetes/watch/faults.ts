import type { ApiError } from '../api/api-error.ts'

type Say = (fields: object, message: string) => void

/**
 * Tells why resources cannot be followed, each cause once, however many watches it holds up, and that it is over.
 * Returns one pair of listeners a watch.
 */
export const createFaults = (log: { readonly info: Say; readonly warn: Say }) => {
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
        if (causes.delete(watch) && causes.size === 0) log.info({}, 'The resources can be followed again')
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
      return { cause: message, message: 'A permission is missing: give it to the service account' }
    default:
      // Down, starting and busy are one thing, seen at different moments.
      return { cause: 'away', message: 'The API server cannot be followed, what is known stays in use' }
  }
}
