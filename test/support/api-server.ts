import { installCrds } from './kubernetes/crds.ts'
import { apiServer } from './kubernetes/found-server.ts'
import { type RunningApiServer, startServer, variable } from './kubernetes/server.ts'

export * from './kubernetes/found-server.ts'

/** `describe` if there is an API server, else skipped; the setup of the run has printed a warning then. */
export const describeWithApiServer: jest.Describe = process.env[variable] ? describe : describe.skip

/** `describe` if there is an API server and helm, else skipped. */
export const describeWithHelm: jest.Describe =
  process.env[variable] && apiServer().assets.helm ? describe : describe.skip

/** An API server for a single test, which may crash, pause and resume it; call `stop` at the end. */
export const ownApiServer = async (): Promise<RunningApiServer> => {
  const server = await startServer(apiServer().assets)
  await installCrds(server)
  return server
}
