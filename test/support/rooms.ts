/**
 * The rooms and packages that a room of src may import; from the rooms and packages in `types` it may import types only.
 */
export type Room = {
  readonly imports: readonly string[]
  readonly types?: readonly string[]
  readonly packages?: readonly string[]
}

const ground = ['api', 'async', 'telemetry']
const edges = [...ground, 'topology', 'rabbit', 'store', 'reconcile']

/**
 * The rooms of src from the ground up. A room is a folder with those inside it that are not rooms themselves; it may
 * always import its own files. docs/architecture.md shows this table.
 */
export const rooms: Readonly<Record<string, Room>> = {
  api: { imports: [], packages: ['ajv', '@marcbachmann/cel-js'] },
  async: { imports: [], types: ['undici'] },
  telemetry: { imports: [], packages: ['prom-client', 'pino', 'pino-pretty'] },
  tracing: {
    imports: ['delivery'],
    types: ['telemetry'],
    packages: [
      '@opentelemetry/api',
      '@opentelemetry/exporter-trace-otlp-http',
      '@opentelemetry/resources',
      '@opentelemetry/sdk-trace',
    ],
  },
  topology: { imports: ['api'] },
  delivery: { imports: ['api'] },
  http: { imports: ['api', 'async', 'delivery'], packages: ['undici'] },
  'rabbit/losses': { imports: [] },
  'rabbit/amqp/client': { imports: [] },
  rabbit: {
    imports: ['async', 'delivery', 'rabbit/losses', 'rabbit/amqp/client'],
    types: ['telemetry', 'topology'],
    packages: ['undici'],
  },
  store: { imports: ['api', 'async'], types: ['telemetry'] },
  'store/directory': { imports: ['api', 'store'], packages: ['yaml', 'chokidar'] },
  'store/kubernetes': {
    imports: ['api', 'async', 'store'],
    packages: ['@kubernetes/client-node', 'undici', 'yaml'],
  },
  reconcile: { imports: [...ground, 'store'] },
  'operator/world': { imports: ['api', 'store', 'topology', 'reconcile'] },
  'operator/topology': { imports: [...edges, 'operator/world'] },
  'operator/references': { imports: [...edges, 'operator/world', 'operator/topology'] },
  'operator/dispatchers': { imports: [...ground, 'store', 'reconcile', 'operator/world'] },
  operator: {
    imports: [...edges, 'operator/world', 'operator/topology', 'operator/references', 'operator/dispatchers'],
  },
  'dispatcher/replicas': { imports: [...ground, 'delivery'], packages: ['undici'] },
  'dispatcher/pipeline': { imports: [...edges, 'delivery', 'http'] },
  'dispatcher/workers': { imports: [...edges, 'delivery', 'http', 'dispatcher/pipeline', 'dispatcher/replicas'] },
  'dispatcher/status': { imports: [...edges, 'delivery', 'dispatcher/workers', 'dispatcher/replicas'] },
  'dispatcher/letters': { imports: [...edges, 'delivery', 'http', 'dispatcher/workers', 'dispatcher/pipeline'] },
  'dispatcher/data': { imports: [...edges, 'rabbit/amqp/client', 'delivery', 'dispatcher/workers'] },
  dispatcher: {
    imports: [
      ...[...edges, 'delivery', 'http', 'dispatcher/workers', 'dispatcher/status', 'dispatcher/replicas'],
      'dispatcher/letters',
    ],
  },
  server: { imports: ['api', 'async', 'store'], packages: ['hono', '@hono/node-server'] },
  'console/drawings': { imports: [], types: ['delivery'], packages: ['hono'] },
  'console/pages': { imports: ['api', 'console/drawings'], types: ['console', 'delivery'], packages: ['hono', 'yaml'] },
  'console/backends': {
    imports: ['api', 'console', 'server', 'store', 'store/kubernetes'],
    types: ['delivery'],
    packages: ['undici'],
  },
  console: { imports: ['api', 'server', 'console/pages', 'console/drawings'], types: ['delivery'], packages: ['hono'] },
  cli: {
    imports: [
      ...edges,
      'console',
      'console/backends',
      'console/pages',
      'store/directory',
      'store/kubernetes',
      'operator',
      'dispatcher',
      'dispatcher/data',
      'dispatcher/replicas',
      'server',
      'tracing',
    ],
    types: ['delivery'],
    packages: ['commander', 'jsonpath-plus', 'yaml'],
  },
}

/** Rooms without I/O, clock or randomness, and the modules of Node that they may import. */
export const pureRooms: Readonly<Record<string, readonly string[]>> = {
  api: [],
  topology: [],
  delivery: ['node:crypto', 'node:buffer'],
  'rabbit/losses': ['node:crypto', 'node:buffer'],
  'console/drawings': [],
  'console/pages': [],
}

/** The room of a file `src/…`. */
export const roomOf = (path: string): string => {
  const folders = path.split('/').slice(1, -1)
  while (folders.length > 1 && rooms[folders.join('/')] === undefined) folders.pop()
  return folders.join('/')
}

/** The table of rooms as docs/architecture.md shows it, in Markdown. */
export const roomsTable = (): string =>
  [
    '| room | imports | types alone | packages |',
    '| --- | --- | --- | --- |',
    ...Object.entries(rooms).map(
      ([room, { imports, types = [], packages = [] }]) =>
        `| \`${room}/\` | ${listed(imports)} | ${listed(types)} | ${listed(packages)} |`,
    ),
  ].join('\n')

const listed = (names: readonly string[]): string => names.map((name) => `\`${name}\``).join(' ')
