import { execFile } from 'node:child_process'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs, promisify } from 'node:util'
import { refuse } from '../../bench/option.ts'
import { findBroker } from '../support/broker.ts'
import { findApiServer } from '../support/kubernetes/find.ts'
import { variable } from '../support/kubernetes/server.ts'
import { shared, useShared } from '../support/shared-broker.ts'
import type { FaultWorld } from './fault.ts'
import { apiFaults, faults, folderFaults, nodeFaults } from './faults/index.ts'
import { directoryGround } from './grounds/directory.ts'
import { kubernetesGround } from './grounds/kubernetes.ts'
import { type Plan, planOf, stepText, withSteps } from './plan.ts'
import { findingLines, isGood, summaryOf, writeReport } from './report.ts'
import { shrink } from './shrink.ts'
import { type Result, storm } from './storm.ts'

const help = `npm run storm -- [OPTIONS]

Runs Waybill on a real broker with random resources, edits, messages, subscribers and faults, then looks for messages that
were lost, invented, changed, delivered too often or given up for no reason, for differences between the resources and the
broker, and for statuses that are not true. What happens follows from the seed. Ends with 1 where something was found.

  --seed N          the first seed (default: the time)
  --storms N        how many storms, with one seed after the other (1)
  --minutes M       how long it storms (1)
  --broker NAME     3, 4 or cluster: a broker of ../shared/brokers. Default: that of RABBITMQ_URL and RABBITMQ_MANAGEMENT_URL, or one
                    that is found or started
  --node-faults     stops nodes of that broker, and has them run out of memory: nobody else may use it
  --kubernetes      resources live on an API server, which is started; an operator and two dispatchers act on them
  --rate N          messages in a second (30)
  --steps 1,5,9     only these steps of the plan
  --no-faults       without faults: messages, subscribers and edits alone
  --report FILE     writes a report in Markdown; {seed} in its name is replaced
  --shrink N        after a failure, tries up to N times to fail with fewer steps
  --fixed           the seeds that are run before each change lands: two of a third of a minute`

const options = {
  seed: { type: 'string' },
  storms: { type: 'string', default: '1' },
  minutes: { type: 'string', default: '1' },
  broker: { type: 'string' },
  'node-faults': { type: 'boolean', default: false },
  kubernetes: { type: 'boolean', default: false },
  rate: { type: 'string', default: '30' },
  steps: { type: 'string' },
  'no-faults': { type: 'boolean', default: false },
  report: { type: 'string' },
  shrink: { type: 'string', default: '0' },
  fixed: { type: 'boolean', default: false },
  help: { type: 'boolean', short: 'h', default: false },
} as const

const read = () => {
  try {
    return parseArgs({ options }).values
  } catch (error) {
    return refuse((error as Error).message)
  }
}
const given = read()
if (given.help) {
  console.log(help)
  process.exit(0)
}
const number = (name: 'seed' | 'storms' | 'minutes' | 'rate' | 'shrink', fallback: number): number => {
  const value = given[name] === undefined ? fallback : Number(given[name])
  return Number.isFinite(value) && value >= 0 ? value : refuse(`--${name} must be a number, found ${given[name]}`)
}

const run = promisify(execFile)

const nodesOf = (name: string): FaultWorld['nodes'] => ({
  names: name === 'cluster' ? [2, 3].map((each) => `waybill4-${each}`) : [`waybill${name}`],
  order: async (node, ...args) => {
    await run(join(shared, 'ctl'), [node, ...args])
  },
})

if (given['node-faults'] && given.broker === undefined) refuse('--node-faults needs --broker')
if (given.broker !== undefined) await useShared(given.broker)
const nodes = given['node-faults'] && given.broker !== undefined ? nodesOf(given.broker) : undefined
/** A storm that is ended in the middle leaves no node stopped, and none out of memory. */
const heal = async (): Promise<void> => {
  for (const node of nodes?.names ?? []) {
    await nodes?.order(node, 'start_app').catch(() => undefined)
    await nodes?.order(node, 'set_vm_memory_high_watermark', '0.6').catch(() => undefined)
  }
}
for (const signal of ['SIGTERM', 'SIGINT'] as const)
  process.once(signal, () => void heal().finally(() => process.exit(130)))

const broker = await findBroker({ log: console.log })
Object.assign(process.env, { RABBITMQ_URL: broker.amqpUrl, RABBITMQ_MANAGEMENT_URL: broker.managementUrl })
console.log(`RabbitMQ ${broker.version} (${broker.origin})`)

const server = given.kubernetes ? await findApiServer({ log: console.log }) : undefined
if (given.kubernetes && server === undefined) refuse('--kubernetes needs an API server')
if (server) process.env[variable] = JSON.stringify(server)

const possible = given['no-faults']
  ? {}
  : { ...faults, ...(server ? apiFaults : folderFaults), ...(nodes ? nodeFaults : {}) }
const begun = performance.now()
const say = (line: string): void =>
  console.log(`${((performance.now() - begun) / 1_000).toFixed(1).padStart(7)}  ${line}`)

const planFor = (seed: number): Plan => {
  const durationMs = given.fixed ? 20_000 : number('minutes', 1) * 60_000
  const plan = planOf({ seed, durationMs, messagesPerSecond: number('rate', 30), faults: Object.keys(possible) })
  return given.steps === undefined ? plan : withSteps(plan, new Set(given.steps.split(',').map(Number)))
}

const weathered = (plan: Plan): Promise<Result> => {
  const logFile = join(tmpdir(), `waybill-storm-${process.pid}-${plan.seed}.log`)
  const openGround = () => (server ? kubernetesGround(server, logFile) : directoryGround(logFile))
  const isModern = Number.parseInt(broker.version, 10) >= 4
  return storm(plan, { ...{ faults: possible, nodes, say, logFile, openGround, isModern } })
}

const one = async (seed: number): Promise<boolean> => {
  const plan = planFor(seed)
  console.log(`\nSeed ${seed}: ${plan.subscriptions.length} Subscriptions, ${plan.steps.length} steps`)
  let result = await weathered(plan)
  let failing = plan
  if (!isGood(result) && number('shrink', 0) > 0) {
    const fails = async (numbers: readonly number[]): Promise<boolean> => {
      const again = await weathered(withSteps(plan, new Set(numbers)))
      if (!isGood(again)) result = again
      return !isGood(again)
    }
    const fewest = await shrink(
      plan.steps.map((step) => step.number),
      fails,
      number('shrink', 0),
    )
    failing = withSteps(plan, new Set(fewest))
    console.log(`It also fails with these steps alone:\n${failing.steps.map(stepText).join('\n')}`)
  }
  const steps = failing === plan ? '' : ` --steps ${failing.steps.map((step) => step.number).join(',')}`
  const ground = server ? ' --kubernetes' : ''
  const again = `npm run storm -- --seed ${seed} --minutes ${plan.durationMs / 60_000} --rate ${plan.messagesPerSecond}${ground}${steps}`
  if (given.report) writeReport(given.report.replace('{seed}', String(seed)), failing, result, broker.version, again)
  console.log(isGood(result) ? `Seed ${seed} is good: ${summaryOf(result.history)}` : `SEED ${seed} IS BAD`)
  for (const line of findingLines(result)) console.log(line)
  if (!isGood(result)) console.log(`Again: ${again}`)
  return isGood(result)
}

const first = given.fixed ? 1 : number('seed', Math.floor(Date.now() / 1_000) % 1_000_000)
const count = given.fixed ? 2 : number('storms', 1)
let bad = 0
for (let seed = first; seed < first + count; seed++) if (!(await one(seed))) bad += 1
await server?.stop()
await broker.stop()
console.log(`\n${count - bad} of ${count} storms were good`)
process.exit(bad > 0 ? 1 : 0)
