/** The worker thread of `root-key.ts`: one task in `workerData`, one answer, then it ends. */
import { createPrivateKey } from 'node:crypto'
import { createRequire } from 'node:module'
import { parentPort, workerData } from 'node:worker_threads'
import type { pki as ForgePki } from 'node-forge'
import { fromDer, toDer } from './asn1.js'
import { pemOf } from './certificate.js'

export type RootKeyTask =
  | { kind: 'seal'; pkcs8: Uint8Array; passphrase: string; iterations: number }
  | { kind: 'open'; pem: string; passphrase: string }

export type RootKeyAnswer =
  | { kind: 'sealed'; pem: string }
  | { kind: 'opened'; pkcs8: Uint8Array }
  | { kind: 'wrong-passphrase' }
  | { kind: 'unreadable' }

parentPort?.postMessage(answer(workerData as RootKeyTask))

function answer(task: RootKeyTask): RootKeyAnswer {
  if (task.kind === 'open') return open(task.pem, task.passphrase)
  const require = createRequire(import.meta.url)
  require('node-forge/lib/pbe.js') // puts its functions into the table that is taken below
  const { pki } = require('node-forge/lib/forge.js') as { pki: typeof ForgePki }
  // node-forge reads the passphrase as octets; the type says less than the function takes.
  const sealed = pki.encryptPrivateKeyInfo(
    fromDer(task.pkcs8),
    Buffer.from(task.passphrase, 'utf8').toString('latin1'),
    { algorithm: 'aes256', count: task.iterations, saltSize: 16, prfAlgorithm: 'sha256' },
  )
  return { kind: 'sealed', pem: pemOf('ENCRYPTED PRIVATE KEY', toDer(sealed)) }
}

function open(pem: string, passphrase: string): RootKeyAnswer {
  try {
    const key = createPrivateKey({ key: pem, passphrase })
    return { kind: 'opened', pkcs8: key.export({ format: 'der', type: 'pkcs8' }) }
  } catch {
    // A wrong key decrypts to rubbish: bad padding, or octets that are no key.
    return { kind: isWhole(pem) ? 'wrong-passphrase' : 'unreadable' }
  }
}

function isWhole(pem: string): boolean {
  const body = /-----BEGIN ENCRYPTED PRIVATE KEY-----([A-Za-z0-9+/=\s]*)-----END/.exec(
    pem,
  )
  try {
    fromDer(Buffer.from(body?.[1] ?? '', 'base64'))
    return true
  } catch {
    return false
  }
}
