/**
 * A bundle of policies as OPA has them (openpolicyagent.org, "Bundles"): a tar archive under
 * gzip with `.manifest`, `*.rego` and `data.json` or `data.yaml`; everything else in it is
 * passed over. What is wrong with one refuses the whole.
 */
import { gunzip } from 'node:zlib'
import type { KeyObject } from 'node:crypto'
import { packageOf } from '@yori/rego'
import { BadBundle, BUNDLE_LIMITS } from './limits.js'
import { fieldOf, SIGNATURES, verifyFiles } from './signature.js'
import { jsonText } from './structured.js'
import { readTar } from './tar.js'
import type { TarFile } from './tar.js'

export interface Bundle {
  /** Of the manifest; empty where it says none. */
  readonly revision: string
  readonly roots: readonly string[]
  readonly modules: readonly BundleModule[]
  /** For `data`. */
  readonly data: Readonly<Record<string, unknown>>
  readonly isSigned: boolean
}

export interface BundleModule {
  readonly path: string
  readonly text: string
  /** Without `data`, such as `['yori', 'bedtime']`. */
  readonly package: readonly string[]
}

export interface BundleRules {
  /** Under which packages and data may lie, parts divided by `/`. */
  readonly roots: readonly string[]
  /** Undefined: signed or not. */
  readonly key: KeyObject | undefined
}

/** @throws BadBundle */
export async function readBundle(
  packed: Buffer,
  { roots: allowed, key }: BundleRules,
): Promise<Bundle> {
  const files = readTar(await unpacked(packed))
  const read = files.filter(({ path }) => isRead(path))
  const signatures = files.find(({ path }) => path === SIGNATURES)
  if (key !== undefined) await verifyFiles(read, signatures, key)
  const { revision, roots } = manifestOf(read.find(({ path }) => path === '.manifest'))
  for (const root of roots)
    if (!isUnder(root.split('/'), allowed))
      throw new BadBundle(
        `claims the root ${JSON.stringify(root.slice(0, 64))}, and may have ${allowed.join(', ')}`,
      )
  const modules = await modulesOf(read, roots)
  const data = dataOf(read, roots)
  return { revision, roots, modules, data, isSigned: key !== undefined }
}

function isRead(path: string): boolean {
  return path === '.manifest' || isModule(path) || isData(path)
}

const isModule = (path: string): boolean => path.endsWith('.rego')

const isData = (path: string): boolean => /(?:^|\/)data\.(?:json|yaml)$/.test(path)

function unpacked(packed: Buffer): Promise<Buffer> {
  const { packedBytes, unpackedBytes: maxOutputLength } = BUNDLE_LIMITS
  if (packed.length > packedBytes)
    throw new BadBundle(`is larger than ${packedBytes} bytes`)
  return new Promise((resolve, reject) => {
    gunzip(packed, { maxOutputLength }, (error, archive) => {
      if (error === null) resolve(archive)
      else if ('code' in error && error.code === 'ERR_BUFFER_TOO_LARGE')
        reject(new BadBundle(`unpacks to more than ${maxOutputLength} bytes`))
      else reject(new BadBundle('is no gzip'))
    })
  })
}

function manifestOf(file: TarFile | undefined): {
  readonly revision: string
  readonly roots: readonly string[]
} {
  const manifest = file === undefined ? {} : parsed(file)
  const revision = fieldOf(manifest, 'revision') ?? ''
  // Without roots a bundle owns all of `data`: OPA's default, an empty one.
  const roots = fieldOf(manifest, 'roots') ?? ['']
  if (typeof revision !== 'string' || revision.length > 256)
    throw new BadBundle('.manifest has a revision that is no short text')
  if (!Array.isArray(roots) || roots.length > 64 || !roots.every(isText))
    throw new BadBundle('.manifest has roots that are no short list of texts')
  return { revision, roots: roots.map((root) => root.replace(/^\/|\/$/g, '')) }
}

const isText = (value: unknown): value is string => typeof value === 'string'

function isUnder(path: readonly string[], roots: readonly string[]): boolean {
  return roots.some((root) => {
    const parts = root.split('/').filter((part) => part !== '')
    return parts.every((part, index) => path[index] === part)
  })
}

async function modulesOf(
  files: readonly TarFile[],
  roots: readonly string[],
): Promise<BundleModule[]> {
  const modules: BundleModule[] = []
  // Tests are for who builds it.
  const own = files.filter(({ path }) => isModule(path) && !path.endsWith('_test.rego'))
  if (own.length > BUNDLE_LIMITS.modules)
    throw new BadBundle(`holds more than ${BUNDLE_LIMITS.modules} files of Rego`)
  for (const { path, bytes } of own) {
    if (bytes.length > BUNDLE_LIMITS.moduleBytes)
      throw new BadBundle(`${path} is longer than ${BUNDLE_LIMITS.moduleBytes} bytes`)
    const text = bytes.toString('utf8')
    const found = packageOf({ name: path, text })
    if (found.kind === 'invalid') {
      const { line, column, message } = found.error
      throw new BadBundle(`${path}:${line}:${column}: ${message}`)
    }
    if (!isUnder(found.package, roots))
      throw new BadBundle(
        `${path} has the package ${found.package.join('.')}, outside its roots ${roots.join(', ')}`,
      )
    modules.push({ path, text, package: found.package })
    await new Promise((resolve) => setImmediate(resolve))
  }
  return modules
}

/** Each file's value stands where its folder says. */
function dataOf(
  files: readonly TarFile[],
  roots: readonly string[],
): Record<string, unknown> {
  const data: Record<string, unknown> = {}
  let bytes = 0
  for (const file of files.filter(({ path }) => isData(path))) {
    bytes += file.bytes.length
    if (bytes > BUNDLE_LIMITS.dataBytes)
      throw new BadBundle(`holds more than ${BUNDLE_LIMITS.dataBytes} bytes of data`)
    const folders = file.path.split('/').slice(0, -1)
    const value = parsed(file)
    if (typeof value !== 'object' || value === null || Array.isArray(value))
      throw new BadBundle(`${file.path} is no object`)
    for (const path of pathsIn(value, folders))
      if (!isUnder(path, roots))
        throw new BadBundle(
          `${file.path} has ${path.join('.').slice(0, 64)}, outside its roots ${roots.join(', ')}`,
        )
    const wrapped = folders.reduceRight<unknown>(
      (inner, name) => ({ [name]: inner }),
      value,
    )
    merge(data, wrapped as Record<string, unknown>, file.path)
  }
  return data
}

/** Where values stand, as deep as roots go. */
function pathsIn(value: object, at: readonly string[]): (readonly string[])[] {
  return Object.entries(value).flatMap(([key, inner]: [string, unknown]) => {
    const path = [...at, key]
    const isDeep = typeof inner === 'object' && inner !== null && !Array.isArray(inner)
    if (!isDeep || path.length >= 8 || Object.keys(inner).length === 0) return [path]
    return pathsIn(inner, path)
  })
}

function merge(into: Record<string, unknown>, from: object, file: string): void {
  for (const [key, value] of Object.entries(from) as [string, unknown][]) {
    if (key === '__proto__') throw new BadBundle(`${file} has the key __proto__`)
    const there = Object.hasOwn(into, key) ? into[key] : undefined
    if (there === undefined) into[key] = value
    else if (isObject(there) && isObject(value)) merge(there, value, file)
    else throw new BadBundle(`${file} says ${key} a second time`)
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function parsed(file: TarFile): unknown {
  try {
    return JSON.parse(jsonText(file)) as unknown
  } catch (cause) {
    if (cause instanceof BadBundle) throw cause
    throw new BadBundle(`${file.path} is no JSON`)
  }
}
