/** A moment (ms since 1970) as Kubernetes writes it (`metav1.Time`): in UTC, to the second. */
export const timestamp = (ms: number): string => new Date(ms).toISOString().replace(/\.\d+Z$/, 'Z')
