import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync, gzipSync } from 'node:zlib'
import { buildSync } from 'esbuild'
import { languageFor } from '../../src/control/pages.js'
import { packageFile } from '../../src/core/package-root.js'
import { LANGUAGES, textsOf } from '../../src/dashboard/texts.js'
import { cacheShare, compared, filledBy } from '../../src/dashboard/turns.js'

const KB = 1024
const folder = packageFile('dist', 'dashboard')

interface Built {
  readonly files: Readonly<Record<string, string>>
  readonly pages: Readonly<Record<string, string>>
}

describe('the pages of the dashboard, as built', () => {
  const built = JSON.parse(readFileSync(join(folder, 'pages.json'), 'utf8')) as Built
  const namesIn = (text: string): string[] =>
    [...text.matchAll(/"\/assets\/([\w.-]+)"/g)].map(([, name]) => name ?? '')

  it('name what is there, and nothing of another host', () => {
    assert.deepEqual(Object.keys(built.pages), [...LANGUAGES])
    for (const text of Object.values(built.pages)) {
      const names = namesIn(text)
      assert.equal(names.length, 4)
      for (const name of names) assert.ok(name in built.files, name)
      assert.doesNotMatch(text, /https?:/)
      assert.doesNotMatch(text, /<script>|<style|style=|onclick/)
    }
    const there = readdirSync(folder).filter((name) => !/\.gz$|^pages/.test(name))
    assert.deepEqual(there.sort(), Object.keys(built.files).sort())
  })

  it('are under 60 KB in all, 40 of them script', () => {
    for (const text of Object.values(built.pages)) {
      const sizes = namesIn(text).map((name) => {
        const whole = readFileSync(join(folder, name))
        const packed = readFileSync(join(folder, `${name}.gz`))
        assert.deepEqual(gunzipSync(packed), whole)
        // Not by the packed file's own word.
        return { name, bytes: gzipSync(whole).length }
      })
      const sum = (ending: RegExp): number =>
        sizes.filter(({ name }) => ending.test(name)).reduce((a, b) => a + b.bytes, 0)
      assert.ok(sum(/\.js$/) < 40 * KB, `${sum(/\.js$/)} bytes of script`)
      assert.ok(sum(/./) + gzipSync(text).length < 60 * KB)
    }
  })

  it('bring the licences of every package that they are made of', () => {
    const { metafile } = buildSync({
      entryPoints: [packageFile('src', 'dashboard', 'pages', 'main.ts')],
      ...{ bundle: true, write: false, metafile: true, format: 'esm', logLevel: 'error' },
    })
    const bundled = Object.keys(metafile.inputs).flatMap(
      (path) => /node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(path)?.[1] ?? [],
    )
    assert.ok(bundled.includes('preact'))
    const script = Object.keys(built.files).find((name) => name.startsWith('app-'))
    const [, name = ''] =
      /^\/\*! licences: \/assets\/([\w.-]+) \*\//.exec(
        readFileSync(join(folder, script ?? ''), 'utf8'),
      ) ?? []
    const licences = readFileSync(join(folder, name), 'utf8')
    for (const one of new Set(bundled))
      assert.match(licences, new RegExp(`^${one} \\d+\\.\\d+\\.\\d+$`, 'm'))
    assert.match(licences, /Permission is hereby granted, free of charge/)
    assert.match(licences, /Apache License/)
  })

  it('load nothing of elsewhere, and make no text markup', () => {
    const script = Object.keys(built.files).find((name) => name.startsWith('app-'))
    const text = readFileSync(join(folder, script ?? ''), 'utf8')
    const hosts = [...text.matchAll(/https?:\/\/([\w.-]+)/g)].map(([, host]) => host)
    // Names of XML, which nobody fetches.
    assert.deepEqual(
      [...new Set(hosts)].filter((host) => host !== 'www.w3.org'),
      [],
    )
    const pages = packageFile('src', 'dashboard', 'pages')
    for (const name of readdirSync(pages)) {
      const source = readFileSync(join(pages, name), 'utf8')
      assert.doesNotMatch(source, /innerHTML|insertAdjacentHTML|document\.write/, name)
    }
  })
})

describe('texts of the dashboard', () => {
  const english = textsOf('en')
  const holes = (text: string): string[] =>
    [...text.matchAll(/\{\w+\}/g)].map(([hole]) => hole).sort()

  for (const language of LANGUAGES)
    it(`say the same with the same numbers in ${language}`, () => {
      const texts = textsOf(language)
      for (const [key, text] of Object.entries(texts)) {
        assert.notEqual(text.trim(), '', key)
        assert.deepEqual(holes(text), holes(english[key as 'today']), key)
      }
      const same = Object.entries(texts).filter(
        ([key, text]) => text === english[key as 'today'],
      )
      // Words such as `Live` and `Tokens` are the same in many.
      if (language !== 'en') assert.ok(same.length < Object.keys(texts).length / 8)
    })

  // RFC 9110 section 12.5.4: weights decide, 0 is never.
  for (const [wanted, found] of [
    [undefined, undefined],
    ['de-CH, en;q=0.8', 'de'],
    ['nl, fr;q=0.5, de;q=0.7', 'de'],
    ['nl', undefined],
    ['de;q=0, es', 'es'],
    ['EN', 'en'],
    [',,;q=x', undefined],
  ] as const)
    it(`are in ${found ?? 'none of them'} for ${wanted ?? 'nothing'}`, () =>
      assert.equal(languageFor(wanted, LANGUAGES), found))
})

describe('turns of a conversation', () => {
  const turn = (role: string, text: string) => ({ role, text })
  const [a, b, c] = [turn('user', 'a'), turn('assistant', 'b'), turn('user', 'c')]

  it('have what both begin with in common', () => {
    assert.deepEqual(compared([a, b], [a, b, c]), { same: 2, gone: [] })
    assert.deepEqual(compared([], [a]), { same: 0, gone: [] })
    assert.deepEqual(compared([a, b], [a, turn('assistant', 'b\n'), c]).same, 2)
  })

  it('tell what was rewritten or left out', () => {
    assert.deepEqual(compared([a, b, c], [a, c]), { same: 1, gone: [b, c] })
    assert.deepEqual(compared([a], [turn('system', 'a')]), { same: 0, gone: [a] })
  })

  it('tell who filled them, whoever said most first', () => {
    const said = [turn('user', 'ab'), turn('tool', 'x'.repeat(7)), turn('user', 'cde')]
    assert.deepEqual(filledBy([...said, turn('assistant', '')]), [
      { role: 'tool', characters: 7 },
      { role: 'user', characters: 5 },
    ])
    assert.deepEqual(filledBy([]), [])
  })

  it('know the share of a cache only where both numbers are known', () => {
    assert.equal(cacheShare(1_920, 2_006), 1_920 / 2_006)
    assert.equal(cacheShare(0, 10), 0)
    for (const [cached, all] of [
      [undefined, 10],
      [5, null],
      [0, 0],
    ])
      assert.equal(cacheShare(cached, all), undefined)
  })
})
