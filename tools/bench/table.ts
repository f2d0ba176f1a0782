/** The tables of a run, as Markdown, and the budgets beside what was measured. */
import { cpus, loadavg, release, totalmem, type } from 'node:os'
import type { Bench, Figures } from './bench.js'

/** Figures by bench, then by peer. */
export type Results = ReadonlyMap<string, ReadonlyMap<string, Figures>>

export function machine(): string {
  const model = cpus()[0]?.model.trim() ?? 'unknown processor'
  const memory = (totalmem() / 1024 ** 3).toFixed(1)
  const load = (loadavg()[0] ?? 0).toFixed(1) // others at work make every figure worse
  return [
    `${cpus().length} x ${model}, ${memory} GiB, ${type()} ${release()}`,
    `Node ${process.version}, load average before ${load}`,
  ].join(', ')
}

export function tableOf(bench: Bench, figures: ReadonlyMap<string, Figures>): string {
  const direct = figures.get('direct')
  const titles = bench.columns.flatMap(({ title, added }) =>
    added === true ? [title, `added ${title}`] : [title],
  )
  const rows = [...figures].map(([peer, own]) => [
    peer,
    ...bench.columns.flatMap(({ key, digits, added }) => {
      const value = own[key]
      if (added !== true) return [format(value, digits)]
      const base = peer === 'direct' ? undefined : direct?.[key]
      return [format(value, digits), format(difference(value, base), digits)]
    }),
  ])
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`
  return [
    `### ${bench.name}: ${bench.says}`,
    '',
    line(['peer', ...titles]),
    line(['---', ...titles.map(() => '--:')]),
    ...rows.map(line),
    '',
  ].join('\n')
}

function difference(
  value: number | undefined,
  base: number | undefined,
): number | undefined {
  return value === undefined || base === undefined ? undefined : value - base
}

function format(value: number | undefined, digits: number): string {
  return value === undefined ? '-' : value.toFixed(digits)
}

interface Budget {
  readonly says: string
  readonly value: number | undefined
  readonly unit: string
  readonly passes: (value: number) => boolean
}

/** What the product promises; a budget whose bench did not run is left out. */
export function budgets(results: Results): string {
  const figure = (bench: string, key: string, peer = 'yori'): number | undefined =>
    results.get(bench)?.get(peer)?.[key]
  const list: readonly Budget[] = [
    {
      says: 'added latency p95 at 50 requests/s below 10 ms',
      value: difference(figure('rate', 'p95'), figure('rate', 'p95', 'direct')),
      unit: 'ms',
      passes: (value) => value < 10,
    },
    {
      says: '100 requests/s sustained on 100 connections',
      value: figure('memory', 'perSecond'),
      unit: 'requests/s',
      passes: (value) => value >= 99 && figure('memory', 'errors') === 0,
    },
    {
      says: 'memory at 100 requests/s on 100 connections below 100 MB',
      value: figure('memory', 'loaded'),
      unit: 'MiB',
      passes: (value) => value * 1.048576 < 100,
    },
    {
      says: 'p99 beside 1,000 stalled hellos and 500 slow heads at most doubled',
      value: figure('stalls', 'ratio'),
      unit: 'times',
      passes: (value) => value <= 2 && figure('stalls', 'errors') === 0,
    },
  ]
  return list
    .flatMap(({ says, value, unit, passes }) =>
      value === undefined
        ? []
        : [`${passes(value) ? 'pass' : 'MISS'}  ${says}: ${value.toFixed(2)} ${unit}`],
    )
    .join('\n')
}
