/**
 * The root key as text at rest: PKCS#8, encrypted when there is a passphrase (PBES2, RFC 8018
 * §6.2; Node's own export stops at 2,048 iterations, so node-forge encrypts and Node reads).
 * Both directions take long by design, so they run in a worker thread, which also gives the
 * memory back.
 */
import { createPrivateKey } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import { Worker } from 'node:worker_threads'
import { YoriError } from '../src/core/errors.js'
import type { Secret } from '../src/core/secret.js'
import type { RootKeyAnswer, RootKeyTask } from './root-key-worker.js'

/** Of PBKDF2 with HMAC-SHA-256. Sealing takes a second or so (pure JavaScript), opening 40 ms. */
export const KEY_ITERATIONS = 200_000

export async function sealRootKey(key: KeyObject, passphrase?: Secret): Promise<string> {
  if (passphrase === undefined)
    return key.export({ format: 'pem', type: 'pkcs8' }) as string
  const pkcs8 = key.export({ format: 'der', type: 'pkcs8' })
  const answer = await inWorker({
    kind: 'seal',
    pkcs8,
    passphrase: passphrase.reveal(),
    iterations: KEY_ITERATIONS,
  })
  if (answer.kind !== 'sealed')
    throw new YoriError('YORI_CA_UNUSABLE', 'key not encrypted')
  return answer.pem
}

export function isSealed(pem: string): boolean {
  return pem.includes('-----BEGIN ENCRYPTED PRIVATE KEY-----')
}

/** YORI_CA_PASSPHRASE when it is wrong or missing; YORI_CA_UNUSABLE when it is no key. */
export async function openRootKey(
  pem: string,
  where: string,
  passphrase?: Secret,
): Promise<KeyObject> {
  if (!isSealed(pem)) return privateKeyOf(pem, where)
  if (passphrase === undefined)
    throw new YoriError(
      'YORI_CA_PASSPHRASE',
      `${where} is encrypted: give its passphrase`,
    )
  const answer = await inWorker({ kind: 'open', pem, passphrase: passphrase.reveal() })
  if (answer.kind === 'opened')
    return createPrivateKey({
      key: Buffer.from(answer.pkcs8),
      format: 'der',
      type: 'pkcs8',
    })
  throw answer.kind === 'wrong-passphrase'
    ? new YoriError('YORI_CA_PASSPHRASE', `the passphrase does not open ${where}`)
    : unreadable(where)
}

export function privateKeyOf(pem: string, where: string): KeyObject {
  try {
    return createPrivateKey(pem)
  } catch {
    throw unreadable(where)
  }
}

function unreadable(where: string): YoriError {
  return new YoriError(
    'YORI_CA_UNUSABLE',
    `${where} is no whole PEM private key: restore it from a copy`,
  )
}

function inWorker(task: RootKeyTask): Promise<RootKeyAnswer> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL('./root-key-worker.js', import.meta.url), {
      workerData: task,
    })
    worker.once('message', (answer: RootKeyAnswer) => {
      resolve(answer)
    })
    worker.once('error', reject)
    worker.once('exit', () => {
      reject(new YoriError('YORI_CA_UNUSABLE', 'the key worker gave no answer'))
    })
  })
}
