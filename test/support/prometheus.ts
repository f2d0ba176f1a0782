/**
 * Prometheus' text format read strictly, and the rules that its own linter (`promtool check
 * metrics`) holds names to. Written after the format's page, not after our writer.
 * https://prometheus.io/docs/instrumenting/exposition_formats/
 * https://prometheus.io/docs/practices/naming/
 */
export interface Scraped {
  readonly type: string
  readonly help: string
  readonly samples: readonly ScrapedSample[]
}

export interface ScrapedSample {
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

const NAME = /^[a-z][a-z0-9_]*$/
const SAMPLE = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)$/
const LABEL = /^([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"(?:,|$)/
/** What stands for a unit that is no base unit. */
const WRONG_UNIT =
  /_(ms|milliseconds|us|micros|minutes|hours|days|kb|mb|kilobytes|megabytes|percent|usd)(_|$)/

/** @throws with every line that the format does not allow */
export function scrape(text: string): ReadonlyMap<string, Scraped> {
  const families = new Map<
    string,
    { type: string; help: string; samples: ScrapedSample[] }
  >()
  const wrong: string[] = []
  if (!text.endsWith('\n')) wrong.push('the last line does not end')
  let current: string | undefined
  const seen = new Set<string>()
  for (const line of text.split('\n').slice(0, -1)) {
    const told = /^# (HELP|TYPE) (\S+) (.*)$/.exec(line)
    if (told !== null) {
      const [, word, name = '', rest = ''] = told
      if (word === 'HELP') {
        if (families.has(name)) wrong.push(`told twice: ${name}`)
        families.set(name, { type: '', help: rest, samples: [] })
        current = name
      } else if (current === name && families.get(name)?.type === '') {
        const family = families.get(name)
        if (family !== undefined) family.type = rest
      } else wrong.push(`TYPE without its HELP before it: ${line}`)
      continue
    }
    const sample = SAMPLE.exec(line)
    if (sample === null) {
      wrong.push(`no sample: ${line}`)
      continue
    }
    const [, name = '', inside = '', number = ''] = sample
    const labels = labelsIn(inside)
    if (labels === undefined) wrong.push(`labels: ${line}`)
    if (seen.has(line.slice(0, line.lastIndexOf(' ')))) wrong.push(`twice: ${line}`)
    seen.add(line.slice(0, line.lastIndexOf(' ')))
    const family = families.get(current ?? '')
    const isOf = family !== undefined && isPartOf(name, current ?? '', family.type)
    if (!isOf) wrong.push(`stands under ${current ?? 'nothing'}: ${line}`)
    const value = number === '+Inf' ? Infinity : Number(number)
    if (Number.isNaN(value)) wrong.push(`no number: ${line}`)
    family?.samples.push({ name, labels: labels ?? {}, value })
  }
  if (wrong.length > 0) throw new Error(wrong.join('\n'))
  return families
}

function isPartOf(name: string, family: string, type: string): boolean {
  if (type !== 'histogram') return name === family
  return ['_bucket', '_sum', '_count'].some((end) => name === `${family}${end}`)
}

function labelsIn(text: string): Record<string, string> | undefined {
  const labels: Record<string, string> = {}
  let rest = text
  while (rest !== '') {
    const found = LABEL.exec(rest)
    if (found === null) return undefined
    const [whole, name = '', value = ''] = found
    if (Object.hasOwn(labels, name)) return undefined
    labels[name] = value
    rest = rest.slice(whole.length)
  }
  return labels
}

/** What a linter would say; empty: nothing. */
export function lint(families: ReadonlyMap<string, Scraped>): string[] {
  const says: string[] = []
  for (const [name, { type, help, samples }] of families) {
    if (!NAME.test(name)) says.push(`${name}: not a plain name`)
    if (help.trim() === '') says.push(`${name}: no help`)
    if (!['counter', 'gauge', 'histogram'].includes(type)) says.push(`${name}: ${type}`)
    if ((type === 'counter') !== name.endsWith('_total'))
      says.push(`${name}: a counter, and nothing else, ends in _total`)
    if (WRONG_UNIT.test(name)) says.push(`${name}: not in a base unit`)
    if (/_(counter|gauge|histogram|bucket|count|sum)$/.test(name))
      says.push(`${name}: names its type`)
    for (const { labels, value } of samples) {
      if (type === 'counter' && value < 0) says.push(`${name}: below zero`)
      if (type !== 'histogram' && 'le' in labels) says.push(`${name}: le`)
    }
    if (type === 'histogram') says.push(...histogramFaults(name, samples))
  }
  return says
}

function histogramFaults(name: string, samples: readonly ScrapedSample[]): string[] {
  const says: string[] = []
  const series = new Map<string, ScrapedSample[]>()
  for (const sample of samples) {
    const { le: _bound, ...labels } = sample.labels
    const key = JSON.stringify(labels)
    series.set(key, [...(series.get(key) ?? []), sample])
  }
  for (const [key, all] of series) {
    const buckets = all.filter((sample) => sample.name.endsWith('_bucket'))
    const bounds = buckets.map(({ labels }) =>
      labels['le'] === '+Inf' ? Infinity : Number(labels['le']),
    )
    const isRising = (list: number[]): boolean =>
      list.every((value, index) => index === 0 || value >= (list[index - 1] ?? 0))
    const count = all.find((sample) => sample.name.endsWith('_count'))?.value
    if (bounds.at(-1) !== Infinity || !isRising(bounds))
      says.push(`${name}${key}: bounds`)
    if (!isRising(buckets.map(({ value }) => value))) says.push(`${name}${key}: falls`)
    if (buckets.at(-1)?.value !== count) says.push(`${name}${key}: +Inf is not the count`)
    if (!all.some((sample) => sample.name.endsWith('_sum')))
      says.push(`${name}${key}: no sum`)
  }
  return says
}
