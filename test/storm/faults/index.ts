import type { Fault } from '../fault.ts'
import * as api from './api-server.ts'
import * as broker from './broker.ts'
import { halfWritten } from './files.ts'
import * as network from './network.ts'
import { kill, killTwice, stop } from './processes.ts'

/** All faults that are possible everywhere and need no broker of the storm's own, by the name that plans and reports have. */
export const faults: Readonly<Record<string, Fault>> = {
  'kill -9': kill,
  'kill -9 twice': killTwice,
  SIGSTOP: stop,
  'connections cut': network.cut,
  silence: network.silent(),
  'silence towards Waybill': network.silent('client'),
  'silence towards the broker': network.silent('target'),
  'slices of single bytes': network.sliced,
  'a slow network': network.slow,
  'connection.close inserted': network.connectionClose,
  'channel.close inserted': network.channelClose,
  'management API silent': network.managementCut,
  'a policy deleted': broker.policyDeleted,
  'a binding to a retry queue deleted': broker.returnBindingDeleted,
  'the exchange of a level deleted': broker.levelExchangeDeleted,
  'connections closed by an administrator': broker.connectionsClosed,
}

/** Those of a folder of manifests. */
export const folderFaults: Readonly<Record<string, Fault>> = {
  'a half-written manifest': halfWritten,
}

/** Those of an API server. */
export const apiFaults: Readonly<Record<string, Fault>> = {
  'the API server refuses': api.refuses,
  'the API server hangs': api.hangs,
  'answers of the API server cut': api.cutsAnswers,
  'watches cut': api.watchesCut,
  'watches held back': api.watchesHeld,
  'watches broken': api.watchesBroken,
  'the API server killed': api.killed,
  'the API server paused': api.paused,
}

/** Those that stop nodes. */
export const nodeFaults: Readonly<Record<string, Fault>> = {
  'a node stopped': broker.nodeStopped,
  'quorum lost': broker.quorumLost,
  'memory alarm': broker.memoryAlarm,
}
