import { execFileSync } from 'node:child_process'
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { nextOf } from '../../src/cli/completion/candidates.ts'
import { programOf } from '../../src/cli/program.ts'

const own = { name: 'waybill', isPlugin: false, isAsked: false } as const
const valuesAfter = (...words: string[]) => nextOf(programOf(own), words).candidates.map(({ value }) => value)

test.each([
  [['d'], ['dispatcher', 'dead-letters']],
  [
    ['dl', ''],
    ['ls', 'show', 'replay', 'discard', 'restore', 'export', 'import'],
  ],
  [
    ['dl', 'ls', '-o', ''],
    ['table', 'wide', 'json', 'jsonl', 'yaml'],
  ],
  [
    ['dl', 'ls', '--output', '=', 'j'],
    ['json', 'jsonl'],
  ],
  [['dl', 'ls', '--output=y'], ['--output=yaml']],
  [['dl', 'replay', 'billing', '--ca', ''], []],
  [['dl', 'replay', 'billing', '--ca'], ['--canary']],
  [['dl', 'replay', '--to', 'q'], ['queue']],
  [
    ['completion', ''],
    ['bash', 'zsh', 'fish'],
  ],
])('after %j comes %j', (words, expected) => {
  expect(valuesAfter(...words)).toEqual(expected)
})

test('names are asked for where they are meant, with the options so far, and files where files are', () => {
  const next = (...words: string[]) => nextOf(programOf(own), words)
  expect(next('dl', 'ls', '-n', 'shop', '')).toMatchObject({
    names: { of: 'subscription' },
    options: { namespace: 'shop' },
  })
  expect(next('get', '')).toMatchObject({ names: { of: 'kind' } })
  expect(next('get', 'wbs', '')).toMatchObject({ names: { of: 'wbs' } })
  expect(next('dl', 'show', 'billing', '').names).toBeUndefined()
  expect(next('lint', 'a', '').files).toBe(true)
  expect(next('dl', 'import', 'billing', '').files).toBe(true)
  expect(next('dl', 'export', 'billing', '-o', '').files).toBe(true)
  expect(next('dl', 'export', 'billing', '').files).toBe(false)
})

test('every option of every command can be completed', () => {
  const pathsOf = (command: ReturnType<typeof programOf>, path: string[]): string[][] => [
    path,
    ...command.commands.flatMap((each) => pathsOf(each as typeof command, [...path, each.name()])),
  ]
  const paths = pathsOf(programOf(own), [])
  expect(paths.length).toBeGreaterThan(12)
  for (const path of paths) expect(valuesAfter(...path, '--')).toContain('--help')
})

test('a real bash completes commands, options, their values and files', () => {
  const folder = mkdtempSync(join(tmpdir(), 'waybill-bash-'))
  const main = join(import.meta.dirname, '../../src/cli/main.ts')
  writeFileSync(join(folder, 'waybill'), `#!/bin/sh\nexec '${process.execPath}' '${main}' "$@"\n`)
  chmodSync(join(folder, 'waybill'), 0o755)
  const script = `
    source <(waybill completion bash)
    complete -p waybill
    after() { COMP_WORDS=(waybill "$@"); COMP_CWORD=$#; _waybill; echo "\${COMPREPLY[@]}"; }
    after dead
    after dl s
    after dl ls billing --output = js
    after 'a b' "it's"`
  const out = execFileSync('bash', ['--norc', '-c', script], {
    env: { ...process.env, PATH: `${folder}:${process.env.PATH}` },
    encoding: 'utf8',
  })
  rmSync(folder, { recursive: true })
  expect(out.split('\n')).toEqual(['complete -F _waybill waybill', 'dead-letters', 'show', 'json jsonl', '', ''])
})
