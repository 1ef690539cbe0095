import { Counter, Gauge, Histogram, type Registry } from 'prom-client'
import { AgeGauge } from './age-gauge.ts'
import { DelayedGauge } from './delayed-gauge.ts'
import { FollowedGauge } from './followed-gauge.ts'

/** Ways to add a metric to a registry; each name gets the prefix `waybill_`. */
export const definerOf = (registry: Registry) => {
  const registers = [registry]
  const named = <L extends string>(name: string, help: string, labelNames: readonly L[]) => ({
    ...{ name: `waybill_${name}`, help, labelNames, registers },
  })
  return {
    gauge: <L extends string>(name: string, help: string, ...labels: L[]) => new Gauge(named(name, help, labels)),
    counter: <L extends string>(name: string, help: string, ...labels: L[]) => new Counter(named(name, help, labels)),
    histogram: <L extends string>(name: string, help: string, buckets: number[], ...labels: L[]) =>
      new Histogram({ ...named(name, help, labels), buckets }),
    age: <L extends string>(name: string, help: string, ...labels: L[]) => new AgeGauge(named(name, help, labels)),
    followed: <L extends string>(how: 'sum' | 'most', name: string, help: string, ...labels: L[]) =>
      new FollowedGauge(how, named(name, help, labels)),
    delayed: <L extends string>(name: string, help: string, ...labels: L[]) =>
      new DelayedGauge(named(name, help, labels)),
  }
}

export type Definer = ReturnType<typeof definerOf>
