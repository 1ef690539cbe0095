/** The Secret of a Broker is missing or invalid. The message holds no secret. */
export class EndpointError extends Error {
  override readonly name = 'EndpointError'
}
