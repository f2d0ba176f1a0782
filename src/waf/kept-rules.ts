/**
 * Rule sets that have been in use, kept beside the record: a package that is updated takes its
 * old rules with it, and these are the way back.
 */
import { randomUUID } from 'node:crypto'
import {
  cp,
  mkdir,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  writeFile,
} from 'node:fs/promises'
import { basename, join } from 'node:path'
import { findRuleSet } from './rule-set.js'
import type { RuleSet } from './rule-set.js'

/** The oldest of more are removed. */
export const MOST_KEPT = 5

export function wafFolder(stateDir: string): string {
  return join(stateDir, 'waf')
}

export function keptFolder(stateDir: string, version: string): string {
  return join(wafFolder(stateDir), 'rules', version)
}

const choiceFile = (stateDir: string): string => join(wafFolder(stateDir), 'use')

/** The version that somebody chose; undefined: that of `waf.rules`. */
export async function chosenVersion(stateDir: string): Promise<string | undefined> {
  const text = await readFile(choiceFile(stateDir), 'utf8').catch(() => '')
  return isVersion(text.trim()) ? text.trim() : undefined
}

/** `version`: undefined for that of `waf.rules`, whichever it is. */
export async function chooseVersion(
  stateDir: string,
  version: string | undefined,
): Promise<void> {
  await mkdir(wafFolder(stateDir), { recursive: true, mode: 0o700 })
  if (version === undefined) {
    await rm(choiceFile(stateDir), { force: true })
    return
  }
  const beside = `${choiceFile(stateDir)}.${randomUUID()}`
  await writeFile(beside, `${version}\n`, { mode: 0o600 })
  await rename(beside, choiceFile(stateDir))
}

/** Which folder of rules is to be read: a choice that is no longer there is none. */
export async function rulesInUse(stateDir: string, configured: string): Promise<string> {
  const version = await chosenVersion(stateDir)
  if (version === undefined) return configured
  const folder = keptFolder(stateDir, version)
  return (await stat(folder).catch(() => undefined)) === undefined ? configured : folder
}

/** Newest first, by when they were kept. */
export async function keptVersions(stateDir: string): Promise<string[]> {
  const folder = join(wafFolder(stateDir), 'rules')
  const names = (await readdir(folder).catch(() => [])).filter(isVersion)
  const dated = await Promise.all(
    names.map(async (name) => {
      const found = await stat(join(folder, name)).catch(() => undefined)
      return { name, at: found?.mtimeMs ?? 0 }
    }),
  )
  return dated.toSorted((a, b) => b.at - a.at).map(({ name }) => name)
}

/** A copy of its rules, whole or not at all. Nothing where it is one itself, or is there. */
export async function keepRules(stateDir: string, set: RuleSet): Promise<void> {
  const folder = keptFolder(stateDir, set.version)
  if (set.folder.startsWith(wafFolder(stateDir))) return
  if ((await stat(folder).catch(() => undefined)) !== undefined) return
  const beside = join(wafFolder(stateDir), `.${basename(folder)}.${randomUUID()}`)
  await mkdir(join(wafFolder(stateDir), 'rules'), { recursive: true, mode: 0o700 })
  try {
    await mkdir(beside, { mode: 0o700 })
    for (const name of await readdir(set.folder))
      if (/\.(?:conf|data)$/.test(name))
        await cp(join(set.folder, name), join(beside, name), { dereference: true })
    await rename(beside, folder)
  } catch (cause) {
    await rm(beside, { recursive: true, force: true })
    throw cause
  }
  await forgetOldest(stateDir)
}

async function forgetOldest(stateDir: string): Promise<void> {
  const chosen = await chosenVersion(stateDir)
  const rest = (await keptVersions(stateDir)).filter((version) => version !== chosen)
  for (const version of rest.slice(MOST_KEPT))
    await rm(keptFolder(stateDir, version), { recursive: true, force: true })
}

/** What a folder holds, without throwing: a version, or why it is none. */
export function lookAt(folder: string): { version: string } | { why: string } {
  try {
    return { version: findRuleSet(folder).version }
  } catch (cause) {
    return { why: (cause as Error).message }
  }
}

function isVersion(text: string): boolean {
  return /^\d{1,3}(?:\.\d{1,4}){1,2}(?:-[\w.]{1,32})?$/.test(text)
}
