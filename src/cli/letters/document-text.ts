import { stringify } from 'yaml'
import { visible, visibleJson } from '../../api/visible.ts'

/** As JSON or YAML; `undefined` where that is not asked for. */
export const documentText = (document: object, output: string): string | undefined => {
  if (output === 'json') return `${visibleJson(document, 2)}\n`
  // What YAML leaves as it is, a terminal would act on: JSON is YAML too.
  return output === 'yaml'
    ? stringify(
        JSON.parse(JSON.stringify(document), (_, value) => (typeof value === 'string' ? visible(value) : value)),
        yamlOptions,
      )
    : undefined
}

const yamlOptions = { aliasDuplicateObjects: false, lineWidth: 0 }
