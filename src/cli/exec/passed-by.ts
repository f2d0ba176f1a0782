/**
 * Which connections to port 443 a program and its children made past the relay: as the kernel
 * lists them, looked at from time to time. So it is a least: what is over between two looks is
 * not seen. Linux alone; elsewhere nothing is known, and nothing is said.
 */
import { readdir, readFile, readlink } from 'node:fs/promises'

const LOOK_MS = 500
const HTTPS = 443
const ESTABLISHED = '01'
const SYN_SENT = '02'
/** Processes, and descriptors of each, that one look goes through; addresses that are kept. */
const MAX_PROCESSES = 200
const MAX_DESCRIPTORS = 2_000
const MAX_ADDRESSES = 1_000

export class PassedBy implements AsyncDisposable {
  /** Their addresses. */
  readonly addresses = new Set<string>()
  readonly #pid: number
  #timer: NodeJS.Timeout | undefined
  #look: Promise<void> = Promise.resolve()
  #isOver = false

  constructor(pid: number) {
    this.#pid = pid
    if (process.platform === 'linux') this.#again()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isOver = true
    clearTimeout(this.#timer)
    await this.#look
  }

  #again(): void {
    this.#timer = setTimeout(() => {
      this.#look = this.#lookOnce()
        .catch(() => undefined)
        .then(() => {
          if (!this.#isOver) this.#again()
        })
    }, LOOK_MS).unref()
  }

  async #lookOnce(): Promise<void> {
    const pids = await family(this.#pid)
    const inodes = new Set<string>()
    for (const pid of pids) for (const inode of await socketsOf(pid)) inodes.add(inode)
    if (inodes.size === 0) return
    for (const table of ['tcp', 'tcp6']) {
      const text = await readFile(`/proc/${this.#pid}/net/${table}`, 'utf8')
      for (const line of text.split('\n').slice(1)) {
        const [, , remote = '', state = '', , , , , , inode = ''] = line
          .trim()
          .split(/\s+/)
        if (state !== ESTABLISHED && state !== SYN_SENT) continue
        const [address = '', port = ''] = remote.split(':')
        if (parseInt(port, 16) !== HTTPS || !inodes.has(inode)) continue
        if (this.addresses.size < MAX_ADDRESSES) this.addresses.add(addressOf(address))
      }
    }
  }
}

/** The process and all below it. */
async function family(root: number): Promise<number[]> {
  const found = [root]
  for (const pid of found) {
    if (found.length >= MAX_PROCESSES) break
    const threads = await readdir(`/proc/${pid}/task`).catch(() => [])
    for (const thread of threads) {
      const path = `/proc/${pid}/task/${thread}/children`
      const text = await readFile(path, 'utf8').catch(() => '')
      found.push(...text.split(' ').filter(Boolean).map(Number))
    }
  }
  return found.slice(0, MAX_PROCESSES)
}

async function socketsOf(pid: number): Promise<string[]> {
  const names = await readdir(`/proc/${pid}/fd`).catch(() => [])
  const links = await Promise.all(
    names
      .slice(0, MAX_DESCRIPTORS)
      .map((name) => readlink(`/proc/${pid}/fd/${name}`).catch(() => '')),
  )
  return links.flatMap((link) => /^socket:\[(\d+)\]$/.exec(link)?.[1] ?? [])
}

/** Of the kernel's hexadecimal words, each in the order of this machine: little-endian. */
function addressOf(hex: string): string {
  const bytes = Buffer.from(hex, 'hex')
  for (let at = 0; at < bytes.length; at += 4) bytes.subarray(at, at + 4).reverse()
  if (bytes.length === 4) return bytes.join('.')
  const mapped = bytes.subarray(0, 12).toString('hex') === '00000000000000000000ffff'
  if (mapped) return bytes.subarray(12).join('.')
  const words = Array.from({ length: 8 }, (_, i) =>
    bytes.readUInt16BE(2 * i).toString(16),
  )
  return words.join(':')
}
