/** An error as the Kubernetes API answers it: a `meta/v1` Status. */
export const apiStatus = (code: number, reason: string, message: string) => ({
  apiVersion: 'v1',
  kind: 'Status',
  status: 'Failure',
  reason,
  message,
  code,
})
