/**
 * Counters and histograms with labels. Labels are bounded: of one instrument so many sets of
 * values are told apart, and the rest is counted under `other`, so that no client can make
 * memory grow. Knows no format.
 */

import { Timing } from '../core/timing.js'

export type LabelValues = readonly string[]

export interface Sample {
  /** `_bucket`, `_sum`, `_count`; empty otherwise. */
  readonly suffix: string
  readonly labels: readonly (readonly [name: string, value: string])[]
  readonly value: number
}

export interface Family {
  readonly name: string
  readonly type: 'counter' | 'gauge' | 'histogram'
  readonly help: string
  /** UCUM, for OTLP; undefined: as its name says. */
  readonly unit?: string
  readonly samples: readonly Sample[]
}

export interface InstrumentOptions {
  /** Without the suffix of a histogram's parts; base units, a counter ends in `_total`. */
  readonly name: string
  readonly help: string
  readonly labels?: readonly string[]
  readonly unit?: string
}

/** Sets of label values of one instrument. */
export const MOST_SERIES = 200
const OTHER = 'other'
/** Never part of a value, so that joined values are told apart. */
const BETWEEN = '\u0000'

abstract class Instrument<State> {
  readonly options: InstrumentOptions
  readonly #series = new Map<string, { readonly values: LabelValues; state: State }>()

  constructor(options: InstrumentOptions) {
    this.options = options
  }

  protected abstract empty(): State
  protected abstract samplesOf(state: State, labels: Sample['labels']): Sample[]
  abstract readonly type: Family['type']

  protected at(values: LabelValues): { state: State } {
    const key = values.join(BETWEEN)
    const found = this.#series.get(key)
    if (found !== undefined) return found
    if (this.#series.size >= MOST_SERIES && !values.every((value) => value === OTHER))
      return this.at(values.map(() => OTHER))
    const made = { values, state: this.empty() }
    this.#series.set(key, made)
    return made
  }

  family(): Family {
    const { name, help, labels = [], unit } = this.options
    const samples = [...this.#series.values()].flatMap(({ values, state }) =>
      this.samplesOf(
        state,
        labels.map((label, index) => [label, values[index] ?? '']),
      ),
    )
    const told = { name, help, type: this.type, samples }
    return unit === undefined ? told : { ...told, unit }
  }
}

/** One set of values of a counter's labels, looked up once: there from its first addition. */
export class CounterSeries {
  readonly #find: () => { state: number }
  #found: { state: number } | undefined

  constructor(find: () => { state: number }) {
    this.#find = find
  }

  add(by = 1): void {
    if (by > 0) (this.#found ??= this.#find()).state += by
  }
}

/** The same of a histogram. */
export class HistogramSeries {
  readonly #find: () => { state: Timing }
  #found: { state: Timing } | undefined

  constructor(find: () => { state: Timing }) {
    this.#find = find
  }

  observe(value: number): void {
    if (Number.isFinite(value)) (this.#found ??= this.#find()).state.observe(value)
  }
}

/** Goes up only. */
export class Counter extends Instrument<number> {
  readonly type = 'counter'

  constructor(options: InstrumentOptions) {
    super(options)
    // One without labels is there from the start: a rate needs its zero.
    if ((options.labels ?? []).length === 0) this.at([])
  }

  add(values: LabelValues = [], by = 1): void {
    if (by > 0) this.at(values).state += by
  }

  /** For who adds to the same often. */
  series(values: LabelValues): CounterSeries {
    return new CounterSeries(() => this.at(values))
  }

  protected empty(): number {
    return 0
  }

  protected samplesOf(value: number, labels: Sample['labels']): Sample[] {
    return [{ suffix: '', labels, value }]
  }
}

/** By upper bounds, ascending. */
export class Histogram extends Instrument<Timing> {
  readonly type = 'histogram'
  readonly #bounds: readonly number[]

  constructor(options: InstrumentOptions, bounds: readonly number[]) {
    super(options)
    this.#bounds = bounds
  }

  observe(values: LabelValues, value: number): void {
    this.series(values).observe(value)
  }

  /** For who observes the same often. */
  series(values: LabelValues): HistogramSeries {
    return new HistogramSeries(() => this.at(values))
  }

  protected empty(): Timing {
    return new Timing(this.#bounds)
  }

  protected samplesOf(timing: Timing, labels: Sample['labels']): Sample[] {
    return samplesOfTiming(timing, labels)
  }
}

function samplesOfTiming(
  { bounds, buckets, sum, count }: Timing,
  labels: Sample['labels'],
): Sample[] {
  let below = 0
  const upTo = bounds.map((bound, index): Sample => {
    below += buckets[index] ?? 0
    return { suffix: '_bucket', labels: [...labels, ['le', String(bound)]], value: below }
  })
  return [
    ...upTo,
    { suffix: '_bucket', labels: [...labels, ['le', '+Inf']], value: count },
    { suffix: '_sum', labels, value: sum },
    { suffix: '_count', labels, value: count },
  ]
}

/** A histogram of what another part of YORI timed. */
export function timed(name: string, help: string, timing: Timing): Family {
  return { name, type: 'histogram', help, samples: samplesOfTiming(timing, []) }
}

/** A family of what is looked up when somebody asks. */
export function looked(
  type: 'counter' | 'gauge',
  name: string,
  help: string,
  values: number | readonly (readonly [Readonly<Record<string, string>>, number])[],
): Family {
  const list = typeof values === 'number' ? ([[{}, values]] as const) : values
  const samples = list.map(([labels, value]) => ({
    suffix: '',
    labels: Object.entries(labels),
    value,
  }))
  return { name, help, type, samples }
}
