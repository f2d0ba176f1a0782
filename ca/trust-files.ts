/** The files that trust variables name: our root alone, and the public roots with ours. */
import { makeFolder } from '../src/core/make-folder.js'
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { derOf, systemRoots, trustBundle } from './export.js'
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
