/**
 * Families as Prometheus reads them: its text format, version 0.0.4.
 * https://prometheus.io/docs/instrumenting/exposition_formats/
 */
import type { Family, Sample } from './instruments.js'

export const PROMETHEUS_TYPE = 'text/plain; version=0.0.4; charset=utf-8'

export function prometheusText(families: readonly Family[]): string {
  return families.map(familyText).join('')
}

function familyText({ name, help, type, samples }: Family): string {
  const told = help.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')
  const lines = samples.map((sample) => `${sampleText(name, sample)}\n`)
  return `# HELP ${name} ${told}\n# TYPE ${name} ${type}\n${lines.join('')}`
}

function sampleText(name: string, { suffix, labels, value }: Sample): string {
  const inside = labels.map(([label, text]) => `${label}="${escaped(text)}"`).join(',')
  const all = inside === '' ? '' : `{${inside}}`
  return `${name}${suffix}${all} ${numberText(value)}`
}

function escaped(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')
}

function numberText(value: number): string {
  if (value === Infinity) return '+Inf'
  if (value === -Infinity) return '-Inf'
  return Number.isNaN(value) ? 'NaN' : String(value)
}
