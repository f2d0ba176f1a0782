/** The files that trust variables name: our root alone, and the public roots with ours. */
import { makeFolder } from '../src/core/make-folder.js'
import { createHash, randomBytes } from 'node:crypto'
import { join, resolve } from 'node:path'
import { derOf, readBundle, systemRoots, trustBundle } from './export.js'
import { trustStore } from './pkcs12.js'
import { saveFile } from './save-file.js'

export interface TrustFiles {
  readonly rootFile: string
  readonly bundleFile: string
}

/** Java insists on one; the store holds nothing secret. */
export const STORE_PASSWORD = 'changeit'

export async function writeTrustFiles(
  folder: string,
  rootPem: string,
): Promise<TrustFiles> {
  const rootFile = join(folder, 'yori-root.pem')
  const bundleFile = join(folder, 'yori-bundle.pem')
  makeFolder(folder, 0o755)
  await saveFile(rootFile, rootPem, { overwrite: true })
  const bundle = trustBundle(rootPem, await systemRoots())
  await saveFile(bundleFile, bundle, { overwrite: true })
  return { rootFile, bundleFile }
}

/**
 * Variables as `trustVariables` gives them, beside what the program was told to trust before: one
 * that names another file names a copy of that file with our root from now on, in `folder`. A
 * company's own root, or a developer's, is trusted as ever. What cannot be read, holds no
 * certificate or is over 4 MiB gives way to ours.
 */
export async function besidePresent(
  variables: readonly (readonly [name: string, file: string])[],
  options: {
    readonly folder: string
    readonly rootPem: string
    readonly present: Readonly<Record<string, string | undefined>>
  },
): Promise<readonly (readonly [name: string, file: string])[]> {
  const { folder, rootPem, present } = options
  const found: (readonly [name: string, file: string])[] = []
  // In turn: several variables may name one file.
  for (const [name, ours] of variables) {
    const before = present[name] ?? ''
    const isOther = before !== '' && resolve(before) !== resolve(ours)
    const text = isOther ? await readBundle(before) : undefined
    if (text === undefined) found.push([name, ours])
    else if (text.includes(rootPem.trim())) found.push([name, before])
    else {
      const both = trustBundle(rootPem, text)
      const sum = createHash('sha256').update(both).digest('hex').slice(0, 16)
      const file = join(folder, `yori-beside-${sum}.pem`)
      await saveFile(file, both, { overwrite: true })
      found.push([name, file])
    }
  }
  return found
}

/** The same roots for Java, whose setting replaces what it trusts. */
export async function writeTrustStore(folder: string, rootPem: string): Promise<string> {
  const bundle = trustBundle(rootPem, await systemRoots())
  const pems = bundle.match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g)
  const certificates = (pems ?? []).map((pem, index) => ({
    alias: `root-${index}`,
    der: derOf(pem),
  }))
  const path = join(folder, 'yori-trust.p12')
  const store = trustStore(certificates, {
    password: STORE_PASSWORD,
    random: randomBytes,
  })
  await saveFile(path, store, { overwrite: true })
  return path
}
