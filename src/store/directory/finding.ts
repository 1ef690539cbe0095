import { type Problem, problemText } from '../../api/schema/problem.ts'

/** A problem or note about a manifest, and where it is. */
export type Finding = {
  /** As the user would write it, relative to the working directory. */
  readonly file: string
  /** From 1; left out where it is about the file as a whole. */
  readonly line?: number
  /** `Kind/namespace/name`, as far as the manifest says it. */
  readonly resource?: string
  readonly problem: Problem
}

/** `shop.yaml:12`. */
export const placeText = ({ file, line }: Pick<Finding, 'file' | 'line'>): string =>
  line === undefined ? file : `${file}:${line}`

/** `shop.yaml:12: Topic/shop/orders: spec.unrouted: must be one of Park, Drop, found "Keep"`. */
export const findingText = (finding: Finding): string =>
  [placeText(finding), ...(finding.resource ? [finding.resource] : []), problemText(finding.problem)].join(': ')
