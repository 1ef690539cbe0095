import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from 'yaml'
import { describeWithHelm } from '../support/api-server.ts'
import { chart, render } from '../support/chart.ts'
import { isTree, type Tree } from './values.ts'

type Schema = {
  readonly description?: string
  readonly $ref?: string
  readonly additionalProperties?: unknown
  readonly properties?: Readonly<Record<string, Schema>>
}

const read = (file: string): string => readFileSync(join(chart, file), 'utf8')
const schema = JSON.parse(read('values.schema.json')) as Schema & {
  readonly definitions: Readonly<Record<string, Schema>>
}
const resolved = (one: Schema): Schema => schema.definitions[one.$ref?.split('/').at(-1) ?? ''] ?? one

test('values.yaml and values.schema.json have the same keys, and each key has a description', () => {
  const compare = (values: Tree, properties: Readonly<Record<string, Schema>>, path: string) => {
    const known = Object.keys(properties).filter((key) => `${path}${key}` !== 'global')
    expect([path, known.sort()]).toEqual([path, Object.keys(values).sort()])
    for (const [key, property] of Object.entries(properties)) {
      const { description, properties: nested, additionalProperties } = resolved(property)
      expect(`${path}${key}: ${description}`).toMatch(/: .{10,}/)
      if (!nested || key === 'resources') continue
      expect([`${path}${key}`, additionalProperties]).toEqual([`${path}${key}`, false])
      const value = values[key]
      compare(isTree(value) ? value : {}, nested, `${path}${key}.`)
    }
  }
  compare(parse(read('values.yaml')), schema.properties ?? {}, '')
})

describeWithHelm('invalid values', () => {
  test.each([
    [{ operatr: {} }, "additional properties 'operatr' not allowed"],
    [{ operator: { replcas: 3 } }, "at '/operator': additional properties 'replcas' not allowed"],
    [{ operator: { replicas: 'two' } }, "at '/operator/replicas': got string, want null or integer"],
    [{ dispatcher: { replicas: -1 } }, "at '/dispatcher/replicas': minimum: got -1, want 0"],
    [{ dispatcher: { drainTimeoutSeconds: '30s' } }, "at '/dispatcher/drainTimeoutSeconds': got string, want integer"],
    [{ dispatcher: { extraEnv: [{ value: 'a' }] } }, "at '/dispatcher/extraEnv/0': missing property 'name'"],
    [{ dispatcher: { data: { enabled: true } } }, "at '/dispatcher/data/tlsSecretName': minLength: got 0, want 1"],
    [{ dispatcher: { data: { port: 80 } } }, "at '/dispatcher/data/port': minimum: got 80, want 1,024"],
    [{ console: { enabled: true } }, "at '/console/tlsSecretName': minLength: got 0, want 1"],
    [
      { console: { data: { server: 'http://data' } } },
      "at '/console/data/server': 'http://data' does not match pattern",
    ],
    [{ commonLabels: { 'app.kubernetes.io/name': 'x' } }, "invalid propertyName 'app.kubernetes.io/name'"],
    [{ crds: { keep: false } }, "at '/crds': additional properties 'keep' not allowed"],
    [{ dispatcher: { extraVolumes: [{ emptyDir: {} }] } }, "at '/dispatcher/extraVolumes/0': missing property 'name'"],
    [{ operator: { nodeSelector: { ssd: true } } }, "at '/operator/nodeSelector/ssd': got boolean, want string"],
    [{ logLevel: 'loud' }, "at '/logLevel': value must be one of 'debug', 'info', 'warn', 'error', 'silent'"],
    [{ watchNamespaces: 'shop' }, "at '/watchNamespaces': got string, want array"],
    [{ watchNamespaces: ['shop', 'shop'] }, "at '/watchNamespaces': items at 0 and 1 are equal"],
    [{ watchNamespaces: ['Shop'] }, "at '/watchNamespaces/0': 'Shop' does not match pattern"],
    [{ instance: '' }, "at '/instance': '' does not match pattern"],
    [{ instance: null }, "missing property 'instance'"],
    [{ image: { repository: '' } }, "at '/image/repository': minLength: got 0, want 1"],
    [{ image: { digest: 'abc' } }, "at '/image/digest': 'abc' does not match pattern"],
    [{ image: { pullPolicy: 'Sometimes' } }, "at '/image/pullPolicy': value must be one of 'Always'"],
    [{ imagePullSecrets: ['pull'] }, "at '/imagePullSecrets/0': got string, want object"],
    [{ networkPolicy: { apiServerPorts: [] } }, "at '/networkPolicy/apiServerPorts': minItems: got 0, want 1"],
    [
      { networkPolicy: { brokerPorts: [70000] } },
      "at '/networkPolicy/brokerPorts/0': maximum: got 70,000, want 65,535",
    ],
    [{ networkPolicy: { blocked: ['10.0.0.0'] } }, "at '/networkPolicy/blocked/0': '10.0.0.0' does not match pattern"],
    [{ metrics: { serviceMonitor: { interval: 'often' } } }, "'often' does not match pattern"],
  ])('the chart rejects the values %j with the path of the mistake', async (values, message) => {
    await expect(render({ values })).rejects.toThrow(message)
  })
})
