/** A body as the engine is to see it: what of it may block, what is scored, and within which bounds. Pure. */
import { SPEAKS, split } from './split.js'
import type { Argument } from './split.js'
import type { WafSettings } from './settings.js'

export interface Shown {
  /** What may block; undefined: nothing of it. */
  readonly blocks: Buffer | undefined
  /** What gives a score: texts, as one. */
  readonly texts: Buffer
  /** There is more than is looked at. */
  readonly isCut: boolean
}

const NOTHING = Buffer.alloc(0)
/** Of a body that nobody could read: where it would say that it speaks to a model. */
const BEGINNING = 64 * 1024

type Bounds = Pick<WafSettings, 'textBytes' | 'bodyBytes'> & {
  readonly codeArguments: ReadonlySet<string>
}

/** `provider`: it goes to one that is known. */
export function shownOf(
  body: Buffer,
  contentType: string,
  provider: boolean,
  bounds: Bounds,
): Shown {
  const type = contentType.split(';', 1)[0]?.trim().toLowerCase() ?? ''
  const isForm = type === 'application/x-www-form-urlencoded'
  if (/^application\/(?:[a-z0-9.-]+\+)?json$/.test(type) || (!isForm && seemsJson(body)))
    return ofJson(body, bounds)
  if (type === 'multipart/form-data') {
    // Files are no arguments: the engine reads past them.
    if (provider && speaksIn(body))
      return { blocks: undefined, texts: body, isCut: false }
    return { blocks: body, texts: NOTHING, isCut: body.length >= bounds.bodyBytes }
  }
  const { textBytes } = bounds
  return {
    blocks: ends(body, textBytes, isForm ? '&' : '\n'),
    texts: NOTHING,
    isCut: body.length > 2 * textBytes,
  }
}

/** Whatever its type says: providers read it as such. */
function seemsJson(body: Buffer): boolean {
  return /^\s{0,64}\{\s{0,64}"/.test(body.toString('latin1', 0, 256))
}

function ofJson(body: Buffer, bounds: Bounds): Shown {
  const { codeArguments, textBytes } = bounds
  let parsed: unknown
  try {
    parsed = JSON.parse(body.toString())
  } catch {
    const beginning = body.toString('latin1', 0, BEGINNING)
    const speaks = /"(?:messages|prompt|input|contents)"\s*:/.test(beginning)
    if (speaks) return { blocks: undefined, texts: body, isCut: true }
    const isCut = body.length > 2 * textBytes
    return { blocks: ends(body, textBytes, '\n'), texts: NOTHING, isCut }
  }
  const { isForModel, texts, calls, isCut } = split(parsed, codeArguments)
  if (!isForModel && body.length <= 2 * textBytes)
    return { blocks: body, texts: NOTHING, isCut: false }
  const given = isForModel ? calls : everything(parsed)
  const within = withinBounds(given, textBytes)
  return {
    blocks: given.length === 0 ? undefined : Buffer.from(flatJson(within)),
    texts: Buffer.from(texts.join('\n')),
    isCut: isCut || within.length < given.length,
  }
}

/** A field of a form by such a name is what a person says. */
function speaksIn(body: Buffer): boolean {
  const text = body.toString('latin1', 0, BEGINNING)
  return [...text.matchAll(/\bname="([\w[\]]{1,64})"/g)].some(([, name = '']) =>
    SPEAKS.has(name),
  )
}

/** All of an object that speaks to no model, by paths. */
function everything(body: unknown): readonly Argument[] {
  return split({ name: 'body', arguments: body }, new Set()).calls
}

function withinBounds(
  given: readonly Argument[],
  textBytes: number,
): readonly Argument[] {
  const first: Argument[] = []
  const last: Argument[] = []
  let room = textBytes
  let at = 0
  for (; at < given.length && room > 0; at++) {
    const one = shortened(given[at] as Argument, textBytes)
    room -= one[0].length + one[1].length
    first.push(one)
  }
  room = textBytes
  for (let end = given.length - 1; end >= at && room > 0; end--) {
    const one = shortened(given[end] as Argument, textBytes)
    room -= one[0].length + one[1].length
    last.push(one)
  }
  return [...first, ...last.reverse()]
}

function shortened([name, value]: Argument, textBytes: number): Argument {
  if (value.length <= 2 * textBytes) return [name, value]
  return [name, `${value.slice(0, textBytes)}\n${value.slice(-textBytes)}`]
}

/** By hand: a tool that is called twice has its names twice. */
function flatJson(given: readonly Argument[]): string {
  const members = given.map(
    ([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value)}`,
  )
  return `{${members.join(',')}}`
}

function ends(body: Buffer, textBytes: number, between: string): Buffer {
  if (body.length <= 2 * textBytes) return body
  const first = body.subarray(0, textBytes)
  return Buffer.concat([first, Buffer.from(between), body.subarray(-textBytes)])
}

/** Of texts: what is scored at once, and what is scored afterwards. */
export function piecesOf(
  texts: Buffer,
  { textBytes, laterBytes }: Pick<WafSettings, 'textBytes' | 'laterBytes'>,
): { readonly now: readonly Buffer[]; readonly later: readonly Buffer[] } {
  if (texts.length === 0) return { now: [], later: [] }
  // From the beginning on in steps of one size: a conversation that goes on has the same ones.
  const first = texts.subarray(0, textBytes)
  if (texts.length <= textBytes) return { now: [first], later: [] }
  const tailAt = Math.max(textBytes, texts.length - textBytes)
  const now = [first, texts.subarray(tailAt)]
  const later: Buffer[] = []
  const end = Math.min(tailAt, textBytes + laterBytes)
  for (let at = textBytes; at < end; at += textBytes)
    later.push(texts.subarray(at, Math.min(at + textBytes, end)))
  return { now, later }
}
