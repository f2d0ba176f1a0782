/**
 * Takes out of recordings what must not be kept: credentials by the forms that services publish,
 * those that this exchange came with wherever they stand, and personal data as policies find it.
 * In the place of each stands its kind, the same for all: what was said in one exchange and is
 * said again in the next is then the same there, so that requests still find their recordings.
 * What has been sanitised once is the same after another time. Pure.
 */
import type { Detector } from '../detect/detector.js'
import { atOnce } from '../core/resting.js'
import { crc32 } from '../http/crc32.js'
import { isCredentialField, pathWithout, REDACTED } from './credential-fields.js'
import { codedIn } from './coded-texts.js'
import { bytesOf } from './recording.js'
import type { Content, Fields, Sanitised } from './recording.js'
import { formViews, searchesOf } from './sanitise-views.js'
import { named, plainView } from './views.js'
import type { Range, View } from './views.js'

interface Edit {
  readonly start: number
  readonly end: number
  readonly put: string
}

/** Media hold what nobody here can look for; by chance they look like anything. */
const MEDIA = /^(?:image|audio|video|font)\/|^application\/(?:pdf|zip|gzip)$/

/** What no text is; keys alone are looked for in it. */
const NOISE = 'image/*'
/** Base64 within base64: deeper nobody looks. */
const MOST_CODED = 2

interface CodedOptions {
  readonly isWord: boolean
  readonly secrets: readonly string[]
  readonly coded: number
  /** Places that were looked at. */
  readonly seen: Set<string>
}

export class Sanitiser {
  readonly level: Sanitised
  readonly #detector: Detector

  constructor(detector: Detector, level: Sanitised) {
    this.level = level
    this.#detector = detector
  }

  /** A body without content coding. `secrets`: what the exchange came with. */
  body(
    content: Content,
    contentType: string | undefined,
    secrets: readonly string[],
  ): Content {
    if (content.kind === 'bytes') return this.#bytes(content.bytes, contentType, secrets)
    const edits = this.#edits(content.text, contentType, secrets)
    return { kind: 'text', text: edited(content.text, edits) }
  }

  /** A body of which `texts` are the pieces, in order. */
  pieces(
    texts: readonly string[],
    contentType: string | undefined,
    secrets: readonly string[],
  ): string[] {
    const edits = this.#edits(texts.join(''), contentType, secrets)
    return editedPieces(texts, edits)
  }

  fields(fields: Fields, secrets: readonly string[]): Fields {
    return fields.map(([name, value]) => [
      name,
      isCredentialField(name) ? REDACTED : this.words(value, secrets),
    ])
  }

  words(text: string, secrets: readonly string[]): string {
    const view = plainView(text, 0)
    const options = { isWord: false, secrets, coded: 0, seen: new Set<string>() }
    const found = [...this.#findings(view, options), ...this.#coded(view, options)]
    return edited(text, settled(found))
  }

  /** A path with its query. */
  path(path: string, secrets: readonly string[]): string {
    const kept = pathWithout(path).path
    const found = formViews(kept).flatMap((view) =>
      this.#findings(view, { isWord: false, secrets }),
    )
    return edited(kept, settled(found))
  }

  #edits(
    text: string,
    contentType: string | undefined,
    secrets: readonly string[],
    coded = 0,
  ): Edit[] {
    const { views, numbers } = searchesOf(text, contentType)
    const found = views.flatMap(({ view, isWord }) =>
      this.#findings(view, { isWord, secrets }),
    )
    const seen = new Set<string>()
    if (coded < MOST_CODED)
      for (const { view, isWord } of views)
        found.push(...this.#coded(view, { isWord, secrets, coded, seen }))
    for (const { name, range } of numbers) {
      const [start, end] = range
      const view = named(name, plainView(text.slice(start, end), start))
      if (this.#findings(view, { isWord: false, secrets }).length > 0)
        found.push({ start, end, put: `1${'0'.repeat(end - start - 1)}` })
    }
    return settled(found)
  }

  /** What is said in base64 is written in base64 again, without what must not be kept. */
  #coded(view: View, { isWord, secrets, coded, seen }: CodedOptions): Edit[] {
    const edits: Edit[] = []
    for (const { start, end, bytes, text, written } of codedIn(view.text)) {
      const ranges = view.ranges(start, end)
      const place = JSON.stringify(ranges)
      // The same characters stand in several views.
      if (seen.has(place)) continue
      seen.add(place)
      const inner =
        text === undefined || isWord
          ? this.#bytes(bytes, NOISE, secrets)
          : this.#text(text, secrets, coded + 1)
      const again = bytesOf(inner)
      if (!again.equals(bytes)) edits.push(...editsOf(ranges, written(again)))
    }
    return edits
  }

  #text(text: string, secrets: readonly string[], coded: number): Content {
    return {
      kind: 'text',
      text: edited(text, this.#edits(text, undefined, secrets, coded)),
    }
  }

  /** Lengths stay as they are: they may stand beside it. */
  #bytes(
    bytes: Buffer,
    contentType: string | undefined,
    secrets: readonly string[],
  ): Content {
    const type = contentType?.split(';', 1)[0]?.trim().toLowerCase() ?? ''
    const isWord = MEDIA.test(type)
    const view = plainView(bytes.toString('latin1'), 0)
    const found = this.#findings(view, { isWord, secrets })
    if (found.length === 0) return { kind: 'bytes', bytes }
    const kept = Buffer.from(bytes)
    for (const { start, end } of found) kept.fill('*', start, end)
    if (type === 'application/vnd.amazon.eventstream') sumAnew(kept)
    return { kind: 'bytes', bytes: kept }
  }

  #findings(
    view: View,
    {
      isWord,
      secrets,
    }: { readonly isWord: boolean; readonly secrets: readonly string[] },
  ): Edit[] {
    const edits: Edit[] = []
    const { text } = view
    for (const secret of secrets)
      for (let at = text.indexOf(secret); at >= 0; at = text.indexOf(secret, at + 1))
        edits.push(...editsOf(view.ranges(at, at + secret.length), REDACTED))
    for (const { class: of, kind, start, end } of atOnce(this.#detector.search(text))) {
      const isPersonal = of === 'pii' && !isWord && this.level === 'all'
      if (of !== 'secret' && !isPersonal) continue
      edits.push(...editsOf(view.ranges(start, end), `[${kind}]`))
    }
    return edits
  }
}

/** Messages of an event stream end with a sum of what is before it (smithy.io, event streams). */
function sumAnew(bytes: Buffer): void {
  for (let at = 0; at + 16 <= bytes.length;) {
    const total = bytes.readUInt32BE(at)
    if (total < 16 || at + total > bytes.length) return
    const end = at + total - 4
    bytes.writeUInt32BE(crc32(bytes.subarray(at, end)), end)
    at += total
  }
}

/** What stands in several pieces is put where its first stood. */
function editsOf(ranges: readonly Range[], put: string): Edit[] {
  return ranges.map(([start, end], i) => ({ start, end, put: i === 0 ? put : '' }))
}

/** In order, none over another: what was found in several ways is taken out once. */
function settled(edits: readonly Edit[]): Edit[] {
  const all: Edit[] = []
  const sorted = [...edits].sort((a, b) => a.start - b.start || b.end - a.end)
  for (const edit of sorted) {
    const last = all.at(-1)
    if (last === undefined || edit.start >= last.end) {
      all.push(edit)
      continue
    }
    const put = last.put === '' ? edit.put : last.put
    const end = Math.max(last.end, edit.end)
    all[all.length - 1] = { start: last.start, end, put }
  }
  return all
}

function edited(text: string, edits: readonly Edit[]): string {
  return editedPieces([text], edits)[0] ?? ''
}

/** What is put stands in the piece in which it began. */
function editedPieces(texts: readonly string[], edits: readonly Edit[]): string[] {
  let begun = 0
  let next = 0
  return texts.map((text) => {
    const ends = begun + text.length
    const parts: string[] = []
    let at = begun
    while (next < edits.length) {
      const { start, end, put } = edits[next] as Edit
      if (start >= ends) break
      if (start >= begun) parts.push(text.slice(at - begun, start - begun), put)
      at = Math.min(end, ends)
      // Its rest is left out of the pieces behind.
      if (end > ends) break
      next++
    }
    parts.push(text.slice(at - begun))
    begun = ends
    return parts.join('')
  })
}
