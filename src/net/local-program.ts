/**
 * Which program of this machine holds the other end of a loopback connection: its name and the
 * folder that it works in, by `/proc` (Linux). Never its arguments: these hold prompts and keys.
 * Asked beside the connection, which waits for nothing; what cannot be told is undefined.
 */
import { readdir, readFile, readlink, stat } from 'node:fs/promises'
import { endianness } from 'node:os'
import { basename } from 'node:path'
import { addressBytes } from '../core/address.js'
import type { Program } from '../core/record.js'
import { Recent } from '../core/recent.js'

/** Two ends as the client sees them; addresses in canonical form. */
export interface Ends {
  readonly client: { readonly address: string; readonly port: number }
  readonly server: { readonly address: string; readonly port: number }
}

/** Larger tables of connections are not searched: those of some 10,000 of them. */
const MAX_TABLE_BYTES = 2 * 1024 * 1024
/** Descriptors that are looked at for one connection. */
const MAX_LOOKED_AT = 4096
/** Questions at once; more are not asked. */
const MAX_ASKED = 8
/** In a second; the connections beyond are nobody's. */
const MAX_IN_A_SECOND = 8
/** Processes that are looked at first, since they connected before. */
const MAX_KNOWN = 64

/** They run what their first argument names. */
const INTERPRETER = /^(?:node|nodejs|bun|deno|tsx|python[\d.]*|ruby[\d.]*|perl|php|java)$/

/** Answers from what the kernel shows; see `localPrograms`. */
export interface LocalPrograms {
  /** Never rejects. */
  of(ends: Ends): Promise<Program | undefined>
}

/**
 * `proc`: where the kernel shows processes. At most 8 questions at once (`MAX_ASKED`) and in a
 * second (`MAX_IN_A_SECOND`), each over
 * at most 4,096 descriptors (`MAX_LOOKED_AT`): what is beyond that is not told.
 */
export function localPrograms(proc = '/proc'): LocalPrograms {
  const known = new Recent<number, true>({ max: MAX_KNOWN })
  let asked = 0
  let second = { at: 0, count: 0 }
  return {
    async of(ends) {
      const now = Math.floor(performance.now() / 1000)
      if (second.at !== now) second = { at: now, count: 0 }
      if (asked >= MAX_ASKED || second.count >= MAX_IN_A_SECOND) return undefined
      second.count += 1
      asked += 1
      try {
        const end = await socketOf(proc, ends)
        if (end === undefined) return undefined
        const pid = await holderOf(proc, end, known)
        if (pid === undefined) return undefined
        known.set(pid, true)
        return await programOf(proc, pid)
      } catch {
        return undefined
      } finally {
        asked -= 1
      }
    },
  }
}

interface SocketEnd {
  readonly inode: string
  readonly uid: string
}

/** The client's own end in the tables of connections, proc_pid_net(5). */
async function socketOf(proc: string, ends: Ends): Promise<SocketEnd | undefined> {
  for (const file of ['tcp', 'tcp6'] as const) {
    const table = await readFile(`${proc}/net/${file}`, 'latin1').catch(() => '')
    if (table.length > MAX_TABLE_BYTES) return undefined
    const [client, server] = [placeOf(ends.client, file), placeOf(ends.server, file)]
    if (client === undefined || server === undefined) continue
    const at = table.indexOf(` ${client} ${server} `)
    if (at < 0) continue
    // local, remote, state, queues, timer, retransmissions, uid, timeout, inode
    const fields = table.slice(at + 1, at + MAX_LINE).split(/ +/)
    const [uid, inode] = [fields[6], fields[8]]
    if (uid !== undefined && inode !== undefined && inode !== '0') return { uid, inode }
  }
  return undefined
}

const MAX_LINE = 256

/** As the kernel prints it: each 32 bits in the order of the machine, and the port. */
function placeOf(
  { address, port }: Ends['client'],
  file: 'tcp' | 'tcp6',
): string | undefined {
  const bytes = addressBytes(address)
  if (bytes === undefined) return undefined
  const isShort = bytes.length === 4
  if (file === 'tcp' && !isShort) return undefined
  // A socket of both families: RFC 4291 §2.5.5.2.
  const mapped = [...Array<number>(10).fill(0), 0xff, 0xff, ...bytes]
  const shown = Buffer.from(file === 'tcp6' && isShort ? mapped : bytes)
  if (endianness() === 'LE') shown.swap32()
  const place = `${shown.toString('hex')}:${port.toString(16).padStart(4, '0')}`
  return place.toUpperCase()
}

/** Those that connected before first, then the newest. */
async function holderOf(
  proc: string,
  { uid, inode }: SocketEnd,
  known: Recent<number, true>,
): Promise<number | undefined> {
  const link = `socket:[${inode}]`
  let left = MAX_LOOKED_AT
  const holds = async (pid: number): Promise<boolean> => {
    const owner = await stat(`${proc}/${pid}`).catch(() => undefined)
    if (String(owner?.uid) !== uid) return false
    const open = await readdir(`${proc}/${pid}/fd`).catch(() => [])
    for (const fd of open.slice(0, Math.max(0, left))) {
      left -= 1
      const target = await readlink(`${proc}/${pid}/fd/${fd}`).catch(() => '')
      if (target === link) return true
    }
    return false
  }
  for (const pid of known.newest()) if (await holds(pid)) return pid
  const all = (await readdir(proc)).map(Number).filter((pid) => pid > 0)
  for (const pid of all.filter((pid) => !known.has(pid)).sort((a, b) => b - a)) {
    if (left <= 0) return undefined
    if (await holds(pid)) return pid
  }
  return undefined
}

async function programOf(proc: string, pid: number): Promise<Program> {
  const [line, name, folder] = await Promise.all([
    readFile(`${proc}/${pid}/cmdline`, 'utf8').catch(() => ''),
    readFile(`${proc}/${pid}/comm`, 'utf8').catch(() => ''),
    readlink(`${proc}/${pid}/cwd`).catch(() => undefined),
  ])
  const shown = nameOf(line.split('\0')) || name.trim() || String(pid)
  return {
    name: shown.slice(0, MAX_NAME),
    ...(folder === undefined ? {} : { folder: folder.slice(0, MAX_FOLDER) }),
  }
}

const MAX_NAME = 64
const MAX_FOLDER = 256

/** Of `node /usr/bin/claude -p ...`: `claude`. What else stands there is not looked at. */
function nameOf([program = '', ...words]: readonly string[]): string {
  const own = basename(program).replace(/^-/, '')
  if (!INTERPRETER.test(own)) return own
  const script = words.find((word) => word !== '' && !word.startsWith('-'))
  // `node -e TEXT`: the next word is the program itself.
  const isText = words.some((word) => /^-(?:e|p|c|pe|-eval|-print)$/.test(word))
  return script === undefined || isText ? own : basename(script)
}
