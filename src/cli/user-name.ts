import { userInfo } from 'node:os'

/** Who runs this process. A user of a container may have no name. */
export const userName = (): string => {
  try {
    return userInfo().username
  } catch {
    return `uid ${process.getuid?.() ?? 'unknown'}`
  }
}
