/**
 * The bundles that come with YORI: a folder of `config/bundles` each, with a part of a
 * configuration and words for people about it. Reads them; what one changes is
 * `bundle-changes.ts`, who writes it is others' matter.
 */
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { YoriError } from '../src/core/errors.js'
import { packageFile } from '../src/core/package-root.js'
import { isObject } from './defaults.js'
import { readYaml } from './read-yaml.js'

/** One folder a bundle. */
export const SHIPPED_BUNDLES = packageFile('config', 'bundles')

export interface Bundle {
  readonly name: string
  readonly title: string
  /** A sentence: for whom, and what becomes of them. */
  readonly about: string
  /** A sentence on each policy, by its name. */
  readonly policies: Readonly<Record<string, string>>
  /** Groups of devices that it is for, and who is meant. */
  readonly groups: Readonly<Record<string, string>>
  /** As in a configuration, without consent: that is a person's to give. */
  readonly sets: Readonly<Record<string, unknown>>
}

/** By name. @throws YORI_CONFIG_INVALID for one that is not of that form */
export async function readBundles(folder = SHIPPED_BUNDLES): Promise<readonly Bundle[]> {
  const entries = await readdir(folder, { withFileTypes: true })
  const names = entries.filter((one) => one.isDirectory()).map(({ name }) => name)
  return Promise.all(names.sort().map((name) => readBundle(folder, name)))
}

async function readBundle(folder: string, name: string): Promise<Bundle> {
  const file = join(folder, name, 'bundle.yaml')
  const { value, faults } = readYaml(await readFile(file, 'utf8'))
  const [fault] = faults
  if (fault !== undefined) throw unusable(file, `${fault.key} ${fault.wrong}`.trim())
  if (!isObject(value)) throw unusable(file, 'holds no keys')
  const { title, about, policies, groups, sets } = value
  if (typeof title !== 'string' || typeof about !== 'string')
    throw unusable(file, '`title` and `about` are text')
  if (!isTexts(policies) || !isTexts(groups))
    throw unusable(file, '`policies` and `groups` have a text for each name')
  if (!isObject(sets)) throw unusable(file, '`sets` is a part of a configuration')
  return { name, title, about, policies, groups, sets }
}

function isTexts(value: unknown): value is Record<string, string> {
  return isObject(value) && Object.values(value).every((text) => typeof text === 'string')
}

const unusable = (file: string, why: string): YoriError =>
  new YoriError('YORI_CONFIG_INVALID', `${file}: ${why}`)
