// Usage: tsx tools/check/docstrings.ts   (or node dist/tools/check/docstrings.js)
// What rooms with callers elsewhere export says what a caller must know: shapes, units,
// limits, errors, source. That it is there can be told by a program; that it is true, by
// reading. Exit 1 when an export has none.
import { readdirSync, readFileSync } from 'node:fs'
import { packageFile } from '../../src/core/package-root.js'
import { isProgram, report } from './finding.js'
import type { Finding, TextFile } from './finding.js'

const HELD = /^src\/(?:(?:http|json|protobuf|providers|net)\/.+|proxy\/[\w-]+\/port)\.ts$/

const DECLARED = /^(?:abstract |async )*(?:function\*?|class|interface) (\w+)/
/** A function by another name: `const f = (...) =>`, `const f: F = async (...) =>`. */
const ARROW = /^const (\w+)(?:: .+?)? = (?:async )?(?:function\b|<|\(|\w+ =>)/

/** Are the exports of the file at this path, from the package's folder, to have docstrings? */
export function isHeld(path: string): boolean {
  return HELD.test(path)
}

/** All that are, with their texts. */
export function heldFiles(): TextFile[] {
  return readdirSync(packageFile('src'), { encoding: 'utf8', recursive: true })
    .map((name) => `src/${name}`)
    .filter(isHeld)
    .sort()
    .map((path) => ({ path, text: readFileSync(packageFile(path), 'utf8') }))
}

/** Exported functions, classes and interfaces, by name and the line (from 0) they are on. */
export function exportsOf(
  text: string,
): { readonly name: string; readonly at: number }[] {
  const listed = new Set(
    [...text.matchAll(/^export \{([^}]*)\}(?! from)/gm)].flatMap(([, names = '']) =>
      names.split(',').map((name) => name.trim().split(' ')[0]),
    ),
  )
  return text.split('\n').flatMap((line, at, lines) => {
    const isExported = line.startsWith('export ')
    const begun = line.endsWith(' =') ? `${line} ${lines[at + 1]?.trim() ?? ''}` : line
    const code = begun.replace(/^export (?:default )?/, '')
    const name = (DECLARED.exec(code) ?? ARROW.exec(code))?.[1]
    return name !== undefined && (isExported || listed.has(name)) ? [{ name, at }] : []
  })
}

/** Exports of `files` that no docstring stands before: a module's comment is none of them. */
export function findUndocumented(files: readonly TextFile[]): Finding[] {
  return files.flatMap(({ path, text }) => {
    const lines = text.split('\n')
    return exportsOf(text)
      .filter(({ name, at }) => !isSaid(docstringBefore(lines, at), name))
      .map(({ name, at }) => ({
        where: `${path}:${at + 1}`,
        what: `${name} has no docstring`,
      }))
  })
}

function docstringBefore(lines: readonly string[], at: number): string {
  if (lines[at - 1]?.endsWith('*/') !== true) return ''
  let from = at - 1
  while (from > 0 && lines[from]?.startsWith('/*') !== true) from--
  return from > 0 && lines[from]?.startsWith('/**') === true
    ? lines.slice(from, at).join(' ')
    : ''
}

/** It says more than the name does. */
function isSaid(docstring: string, name: string): boolean {
  const words = docstring.match(/[\w@]+/g) ?? []
  return words.filter((word) => word.toLowerCase() !== name.toLowerCase()).length > 1
}

if (isProgram(import.meta.url)) {
  const files = heldFiles()
  report(`docstrings in ${files.length} files`, findUndocumented(files))
}
