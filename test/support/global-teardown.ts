export default async (): Promise<void> => {
  if (!globalThis.testApiServer) process.stderr.write('There was no API server: the tests on Kubernetes were SKIPPED\n')
  await Promise.all([globalThis.testBroker?.stop(), globalThis.testApiServer?.stop()])
}
