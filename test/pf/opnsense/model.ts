/**
 * The plugin's model as its XML says it, and values of it in the form in which configd hands
 * them to templates. Reads no more XML than such files hold: elements, attributes, text.
 */
import { readFileSync } from 'node:fs'
import { packageFile } from '../../../src/core/package-root.js'

export interface Element {
  readonly name: string
  readonly attributes: Readonly<Record<string, string>>
  readonly children: readonly Element[]
  readonly text: string
}

export interface Field {
  /** `mode`, or `devices.device.device_ip` in the rows of an array. */
  readonly path: string
  readonly name: string
  readonly type: string
  /** `devices.device`; undefined: one value for all. */
  readonly array?: string
  readonly usual?: string
  readonly required: boolean
  readonly multiple: boolean
  readonly mask?: RegExp
  readonly options: readonly string[]
  readonly minimum?: number
  readonly maximum?: number
}

export const PLUGIN = packageFile('pf', 'opnsense')
export const pluginFile = (...parts: string[]): string =>
  packageFile('pf', 'opnsense', ...parts)
export const MVC = ['src', 'opnsense', 'mvc', 'app'] as const

/** @throws when elements do not match */
export function readXml(text: string): Element {
  const root: Element[] = []
  const open: { name: string; children: Element[]; text: string; attributes: string }[] =
    []
  const clean = text.replaceAll(/<!--[^]*?-->|<\?[^]*?\?>/g, '')
  for (const [, close, name, attributes = '', alone, content] of clean.matchAll(
    /<(\/?)([\w.-]+)((?:\s+[\w.-]+="[^"]*")*)\s*(\/?)>|([^<]+)/g,
  )) {
    const top = open.at(-1)
    if (content !== undefined) {
      if (top !== undefined) top.text += content
      continue
    }
    if (name === undefined) continue
    if (close !== '/') {
      open.push({ name, children: [], text: '', attributes })
      if (alone !== '/') continue
    }
    const done = open.pop()
    if (done?.name !== name) throw new Error(`</${name}> ends <${done?.name ?? ''}>`)
    const list = open.at(-1)?.children ?? root
    list.push({
      name,
      children: done.children,
      text: unescaped(done.text.trim()),
      attributes: Object.fromEntries(
        [...done.attributes.matchAll(/([\w.-]+)="([^"]*)"/g)].map(([, key, value]) => [
          key ?? '',
          unescaped(value ?? ''),
        ]),
      ),
    })
  }
  const [first, ...more] = root
  if (first === undefined || more.length > 0 || open.length > 0)
    throw new Error('one element holds all others')
  return first
}

const unescaped = (text: string): string =>
  text
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&quot;', '"')
    .replaceAll('&amp;', '&')

export const childOf = (element: Element, name: string): Element | undefined =>
  element.children.find((child) => child.name === name)

let known: readonly Field[] | undefined

/** Every leaf of General.xml, in its order. */
export const modelFields = (): readonly Field[] => (known ??= readModel())

function readModel(): Field[] {
  const file = pluginFile(...MVC, 'models', 'OPNsense', 'YORI', 'General.xml')
  const items = childOf(readXml(readFileSync(file, 'utf8')), 'items')
  const visit = (element: Element, path: string, array?: string): Field[] =>
    element.children.flatMap((child) => {
      const at = path === '' ? child.name : `${path}.${child.name}`
      const type = child.attributes['type']
      if (type === undefined) return visit(child, at, array)
      if (type === 'ArrayField') return visit(child, at, at)
      return [fieldOf(child, { path: at, type, ...(array && { array }) })]
    })
  return items === undefined ? [] : visit(items, '')
}

function fieldOf(
  element: Element,
  { path, type, array }: { path: string; type: string; array?: string },
): Field {
  const text = (name: string): string | undefined => childOf(element, name)?.text
  const number = (name: string): number | undefined => {
    const found = text(name)
    return found === undefined ? undefined : Number(found)
  }
  const mask = text('Mask')
  const usual = text('Default')
  const minimum = number('MinimumValue')
  const maximum = number('MaximumValue')
  return {
    path,
    name: element.name,
    type,
    required: text('Required') === 'Y',
    multiple: text('Multiple') === 'Y',
    options: childOf(element, 'OptionValues')?.children.map(({ name }) => name) ?? [],
    ...(array && { array }),
    ...(usual !== undefined && { usual }),
    ...(mask !== undefined && { mask: maskOf(mask) }),
    ...(minimum !== undefined && { minimum }),
    ...(maximum !== undefined && { maximum }),
  }
}

/** PCRE's D, by which `$` is the very end, is what JavaScript does anyway. */
function maskOf(mask: string): RegExp {
  const [, pattern = '', flags = ''] = /^\/(.*)\/([Du]*)$/.exec(mask) ?? []
  return new RegExp(pattern, flags.includes('u') ? 'u' : '')
}

/** By field path; an array's by the path of the array. */
export interface Values {
  readonly scalars: Readonly<Record<string, string>>
  readonly rows: Readonly<Record<string, readonly Readonly<Record<string, string>>[]>>
}

export const DEVICES: Readonly<Record<string, string>> = {
  lan: 'em1',
  opt1: 'vlan0.10',
  guest: 'igb2',
}

/** As configd reads the config.xml that the base model writes of these values. */
export function configOf({ scalars, rows }: Values): Record<string, unknown> {
  const yori: Record<string, unknown> = {}
  for (const field of modelFields()) {
    if (field.array !== undefined) continue
    const value = scalars[field.name] ?? field.usual ?? ''
    if (value !== '') yori[field.name] = value
  }
  for (const [array, list] of Object.entries(rows)) {
    const [outer = '', inner = ''] = array.split('.')
    const written = list.map((row) => rowOf(array, row))
    if (written.length > 0)
      yori[outer] = { [inner]: written.length === 1 ? written[0] : written }
  }
  const interfaces = Object.entries(DEVICES).map(([name, device]) => [
    name,
    { if: device },
  ])
  return { interfaces: Object.fromEntries(interfaces), OPNsense: { yori } }
}

function rowOf(
  array: string,
  row: Readonly<Record<string, string>>,
): Record<string, string> {
  const fields = modelFields().filter((field) => field.array === array)
  const values = fields.map(
    ({ name, usual }) => [name, row[name] ?? usual ?? ''] as const,
  )
  return Object.fromEntries(values.filter(([, value]) => value !== ''))
}
