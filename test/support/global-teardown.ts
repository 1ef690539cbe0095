export default async (): Promise<void> => {
  await globalThis.testBroker?.stop()
}
