import assert from 'node:assert/strict'
import {
  exportsOf,
  findUndocumented,
  heldFiles,
  isHeld,
} from '../../../tools/check/docstrings.js'

const found = (...lines: readonly string[]): string[] =>
  findUndocumented([{ path: 'a.ts', text: lines.join('\n') }]).map(
    ({ where, what }) => `${where}: ${what}`,
  )

describe('tools/check/docstrings', () => {
  it('names each kind of export that has none, with its file and line', () => {
    const kinds = [
      ['export function f(', 'f'],
      ['export async function f(', 'f'],
      ['export function* f(', 'f'],
      ['export class F {', 'F'],
      ['export abstract class F {', 'F'],
      ['export interface F {', 'F'],
      ['export const f = (a: string): string => a', 'f'],
      ['export const f: F = async (a) => a', 'f'],
      ['export const f = <T>(a: T): T => a', 'f'],
      ['export const f: (a: string) => string = (a) => a', 'f'],
      ['export const f = (', 'f'],
      ['export const f =\n  (a: string) =>\n  (b: string): string => a + b', 'f'],
    ] as const
    for (const [line, name] of kinds) {
      const says = [`a.ts:3: ${name} has no docstring`]
      assert.deepEqual(found('/** Of the module. */', '', line), says)
      assert.deepEqual(found('/** Of the module. */', '// Two words.', line), says)
      assert.deepEqual(found('', '/** So many bytes. */', line), [])
    }
  })

  it('takes no comment of a module, none that is apart and no mere name for one', () => {
    const says = (line: number): string[] => [`a.ts:${line}: f has no docstring`]
    assert.deepEqual(found('/** Of the module, here. */', 'export function f('), says(2))
    assert.deepEqual(
      found('', '/** So many bytes. */', '', 'export function f('),
      says(4),
    )
    assert.deepEqual(found('', '/* So many bytes. */', 'export function f('), says(3))
    assert.deepEqual(found('', '/** F. */', 'export function f('), says(3))
    assert.deepEqual(found('', '/**', ' * Bytes,', ' * all of them.', ' */', 'x'), [])
  })

  it('sees what a list exports, and lets alone what is no export of the file', () => {
    assert.deepEqual(found('function f(', 'export { f as g }'), [
      'a.ts:1: f has no docstring',
    ])
    assert.deepEqual(found('function f(', "export { f } from './b.js'"), [])
    assert.deepEqual(found('export const MAX_BYTES = 3', 'export type T = string'), [])
  })

  it('holds the rooms with callers elsewhere, and every port', () => {
    const held = ['src/http/h1/head.ts', 'src/proxy/site/port.ts']
    const others = ['src/proxy/site/site.ts', 'src/http/a.md', 'test/http/head.test.ts']
    assert.deepEqual([...held, ...others].filter(isHeld), held)
    const files = heldFiles()
    const count = files.flatMap(({ text }) => exportsOf(text)).length
    assert.ok(count > 300, `${count} exports in ${files.length} files`)
    assert.deepEqual(findUndocumented(files), [])
  })
})
