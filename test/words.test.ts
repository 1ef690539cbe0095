import { globSync } from 'node:fs'
import { type Line, linesOf, stringsOf } from './support/texts.ts'

type Rule = {
  readonly pattern: RegExp
  /** What to write instead. */
  readonly instead: string
  /** A text that breaks the rule. */
  readonly example: string
}

/**
 * A name as a word of its own or as a part of a camelCase name, in singular and plural: `lane`, `laneOf`, `newLanes`.
 */
const named = (name: string): RegExp => {
  const capital = name.charAt(0).toUpperCase() + name.slice(1)
  return new RegExp(`(?<![A-Za-z])(${name}|${capital})s?(?![a-z])|(?<=[a-z])${capital}s?(?![a-z])`)
}

/** Words that no text for users contains: on-call engineers read them once, at night. */
const plainWords: readonly Rule[] = [
  { pattern: /\bmend(s|ed|ing)?\b/i, instead: 'fix, fixed in', example: 'a version that mends it' },
  { pattern: /\bby (itself|themselves)\b/i, instead: 'automatically', example: 'is tried again by itself' },
  { pattern: /\blet(s|ting)? go\b/i, instead: 'remove the finalizer, release', example: 'Could not let go of it' },
  {
    pattern: /(?<!\bthere )\bis no (?!longer\b|more\b|such\b)\w+/i,
    instead: 'is not a',
    example: 'it is no kind of ours',
  },
  { pattern: /\btaken in\b/i, instead: 'processed', example: 'An event could not be taken in' },
  { pattern: /\bma(de|kes?|king) sense of\b/i, instead: 'parse, is invalid', example: 'Could not make sense of it' },
  { pattern: /\b(fell|fallen|falls) silent\b/i, instead: 'lost contact with', example: 'A replica fell silent' },
  { pattern: /(^|[`}]) is over\b/, instead: 'cleared', example: '`DeadLettersPresent` is over' },
  { pattern: /\bwhoever\b/i, instead: 'the process that, anyone who', example: 'whoever leads writes it' },
  { pattern: /\bnobody caught\b/i, instead: 'uncaught', example: 'A fault that nobody caught' },
  { pattern: /\bfor \w+ to (say|decide|tell)\b/i, instead: 'decided by', example: 'that is for you to say' },
  { pattern: /\b(told|tells|hears|heard)\b/i, instead: 'reported, received', example: 'as the others were told' },
  { pattern: /\bhow it is going\b/i, instead: 'observed state', example: 'How it is going. Waybill writes it.' },
]

/** Old names of the glossary in docs/architecture.md: one idea has one name, in code, comments, logs and documents. */
const oldNames: readonly Rule[] = [
  { pattern: named('lane'), instead: 'worker', example: 'startLane' },
  { pattern: named('hush'), instead: 'unsubscribe', example: 'hush()' },
  { pattern: named('unlisten'), instead: 'unsubscribe', example: 'const unlisten = 1' },
  { pattern: named('unheeded'), instead: 'not in force', example: 'unheeded policies' },
  { pattern: named('loose'), instead: 'unattached, references', example: 'reconcileLoose()' },
  { pattern: /\bShare\b|\b(is|merge)Shares?\b/, instead: 'Snapshot', example: 'isShare(answer)' },
  { pattern: named('sight'), instead: 'observation', example: 'const sights = []' },
  { pattern: named('happening'), instead: 'notice', example: 'type Happening' },
  { pattern: named('barren'), instead: 'emptyWatches', example: 'barren += 1' },
  { pattern: named('confused'), instead: 'versionIsSuspect', example: 'const confused = true' },
  { pattern: named('tally'), instead: 'DeliveryStats, stats', example: 'newTally()' },
  { pattern: /\bPace\b|\bnewPace\b/, instead: 'WriteBudget', example: 'type Pace = {' },
  { pattern: named('listenTo'), instead: 'pollPeers', example: 'listenTo(peers)' },
  { pattern: named('tellAll'), instead: 'resyncAll', example: 'tellAll()' },
  { pattern: /\bgiv(e|es|en|ing)[ _-]?back\b|giveBack/i, instead: 'requeue', example: 'given_back' },
  { pattern: named('assertHeld'), instead: 'fence', example: 'assertHeld()' },
  // A write budget has a function of that name, which is something else.
  { pattern: /\bmayWrite\b(?!.*budget)/i, instead: 'fence', example: 'before: mayWrite' },
  { pattern: /\bownPrefix\b|\bown-headers\b/, instead: 'headerPrefix, waybill-headers', example: 'ownPrefix' },
  { pattern: /\bclaimO[fn]\b/, instead: 'ownerOf, ownerOn', example: 'claimOn(refusal)' },
  { pattern: /\b(onMeaning|meaningOf|meaningSame|printOf)\b/, instead: 'fingerprint', example: 'meaningOf(resource)' },
  { pattern: /\bpass(es)? over\b/i, instead: 'reconcile', example: 'How long passes over a broker took' },
  { pattern: /\battach\(/, instead: 'resolveReferences()', example: 'attach(gather(store))' },
  { pattern: /(?<![A-Za-z])term(?![a-z])/i, instead: 'leadership', example: 'as long as the term lasts' },
]

const documents = linesOf(
  'crds/**/*.{yaml,md}',
  'charts/**/*.{yaml,tpl,txt,json,md}',
  'examples/**/*.{yaml,ts,md}',
  'docs/**/*.md',
  'bench/**/*.md',
  '.github/**/*.{yml,md}',
  'scripts/*.sh',
  '.ci/run',
  '{README,CONTRIBUTING,SECURITY}.md',
)
// A changelog names what was renamed.
const changelog = linesOf('CHANGELOG.md')
const texts = [...stringsOf('src/**/*.ts'), ...documents, ...changelog]
const files = globSync('src/**/*.ts').map((file) => ({ place: file, text: file }))

const broken = (lines: readonly Line[], { pattern, instead }: Rule): readonly string[] =>
  lines.flatMap(({ place, text }) => {
    const [phrase] = pattern.exec(text) ?? []
    return phrase === undefined ? [] : [`${place}: "${phrase.trim()}", write: ${instead}`]
  })

test.each(plainWords)('no text for users says "$example" (write: $instead)', (rule) => {
  expect(broken(texts, rule)).toEqual([])
})

test.each(oldNames)('no file of src and no document has the old name of "$example" (write: $instead)', (rule) => {
  expect(broken([...linesOf('src/**/*.ts'), ...files, ...documents], rule)).toEqual([])
})

test.each([...plainWords, ...oldNames])('the check finds "$example"', ({ pattern, example }) => {
  expect(example).toMatch(pattern)
})

test.each([
  'The control plane, airplanes and a planetary gear',
  'All replicas share the work',
  'There is no broker, it is no longer used, and there are no more of them',
  'It is amended, as recommended; a commander depends on it',
  'Terms of delivery, a terminal, SIGTERM and terminationGracePeriodSeconds',
  'An insight, and loosely coupled services',
  'Kubernetes claims of dynamic resources',
  'The deadline is over, and the queue is let to grow',
])('no rule is broken by "%s"', (text) => {
  expect([...plainWords, ...oldNames].flatMap((rule) => broken([{ place: 'text', text }], rule))).toEqual([])
})
