// What a browser loads of the dashboard, in FOLDER (dist/dashboard): one script, one style
// sheet, an icon, the texts of one language and the licences of what is bundled, each under a
// name that changes with what it holds, each also as gzip; and `pages.json`, which says what there
// is and how a page begins.
import { createHash } from 'node:crypto'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { buildSync } from 'esbuild'
import { packageFile } from '../../src/core/package-root.js'
import { LANGUAGES, textsOf } from '../../src/dashboard/texts.js'
import type { Language } from '../../src/dashboard/texts.js'

/** What `pages.json` holds. */
export interface BuiltPages {
  /** Media types by name. */
  readonly files: Readonly<Record<string, string>>
  /** The document, by language. */
  readonly pages: Readonly<Record<string, string>>
}

const SCRIPT = 'text/javascript; charset=utf-8'
const STYLE = 'text/css; charset=utf-8'

/** Writes all of it; the folder is made. */
export function writeDashboard(folder: string): BuiltPages {
  mkdirSync(folder, { recursive: true })
  const files: Record<string, string> = {}
  const put = (name: string, type: string, text: string): string => {
    const [stem = '', ending = ''] = name.split('.')
    const hash = createHash('sha256').update(text).digest('hex').slice(0, 10)
    const hashed = `${stem}-${hash}.${ending}`
    writeFileSync(join(folder, hashed), text)
    writeFileSync(join(folder, `${hashed}.gz`), gzipSync(text, { level: 9 }))
    files[hashed] = type
    return hashed
  }
  const source = (name: string): string => packageFile('src', 'dashboard', 'pages', name)
  const icon = put('icon.svg', 'image/svg+xml', readFileSync(source('icon.svg'), 'utf8'))
  const style = put('style.css', STYLE, bundled(source('style.css')))
  const licences = put('licences.txt', 'text/plain; charset=utf-8', licencesOfBundled())
  const script = put('app.js', SCRIPT, bundled(source('main.ts'), licences))
  const pages: Record<string, string> = {}
  for (const language of LANGUAGES) {
    const texts = `globalThis.yoriTexts=${JSON.stringify(textsOf(language))}\n`
    const words = put(`words_${language}.js`, SCRIPT, texts)
    pages[language] = documentOf({ language, icon, style, script, words })
  }
  const built = { files, pages }
  writeFileSync(join(folder, 'pages.json'), JSON.stringify(built))
  return built
}

/** `licences`: where those of its packages stand, said at its head. */
function bundled(entry: string, licences?: string): string {
  const banner =
    licences === undefined
      ? {}
      : { banner: { js: `/*! licences: /assets/${licences} */` } }
  const { outputFiles } = buildSync({
    ...banner,
    ...{ entryPoints: [entry], bundle: true, minify: true, write: false },
    ...{ format: 'esm', target: 'es2022', logLevel: 'error', legalComments: 'none' },
  })
  return outputFiles[0]?.text ?? ''
}

/** Packages whose code becomes part of the script: MIT and Apache-2.0 ask for their texts. */
const BUNDLED = ['preact', 'htm', '@preact/signals', '@preact/signals-core'] as const

function licencesOfBundled(): string {
  return BUNDLED.map((name) => {
    const folder = packageFile('node_modules', ...name.split('/'))
    const { version } = JSON.parse(
      readFileSync(join(folder, 'package.json'), 'utf8'),
    ) as {
      version: string
    }
    return `${name} ${version}\n\n${readFileSync(join(folder, 'LICENSE'), 'utf8').trim()}\n`
  }).join('\n\n')
}

interface Named {
  readonly language: string
  readonly icon: string
  readonly style: string
  readonly script: string
  readonly words: string
}

/** The frame that the script fills. */
function documentOf({ language, icon, style, script, words }: Named): string {
  const { noScript } = textsOf(language as Language)
  return `<!doctype html>
<html lang="${language}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>YORI</title>
<link rel="icon" href="/assets/${icon}" type="image/svg+xml">
<link rel="stylesheet" href="/assets/${style}">
<script defer src="/assets/${words}"></script>
<script type="module" src="/assets/${script}"></script>
</head>
<body><div id="app"></div><noscript>${noScript}</noscript></body>
</html>
`
}
