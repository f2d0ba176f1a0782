/**
 * The three system calls that Node has no word for, through koffi (optional). Everything that
 * touches memory is here; numbers are those of Linux and FreeBSD, which agree where both apply.
 */
import { createRequire } from 'node:module'
import type Koffi from 'koffi'
import { closeSync, openSync } from 'node:fs'
import type { Server, Socket } from 'node:net'
import type { Log } from '../core/log.js'

export type KernelAnswer =
  | { readonly kind: 'bytes'; readonly bytes: Buffer }
  /** errno. */
  | { readonly kind: 'error'; readonly errno: number }

/**
 * System calls, made at once and on this thread. None throws: what fails is told by its
 * errno or in words.
 */
export interface Kernel {
  /** getsockopt(2) on an accepted connection; at most `length` bytes come back. */
  getOption(
    socket: Socket,
    option: { level: number; name: number; length: number },
  ): KernelAnswer
  /** IP_TRANSPARENT on a listening socket, Linux only. Undefined when done, else why not. */
  setTransparent(server: Server): string | undefined
  /** ioctl(2) on `/dev/pf`, FreeBSD only: `bytes` is sent and read back. */
  pfControl(request: number, bytes: Buffer): KernelAnswer
}

const SOL_IP = 0
const IP_TRANSPARENT = 19
const EBADF = 9

type Getsockopt = (
  ...args: [fd: number, level: number, name: number, value: Buffer, length: number[]]
) => number
type Setsockopt = (
  ...args: [fd: number, level: number, name: number, value: Buffer, length: number]
) => number
type Ioctl = (fd: number, request: number, type: string, bytes: Buffer) => number

/**
 * Undefined, with one warning, when koffi is not installed or does not run here. Never
 * rejects.
 */
export async function loadKernel(log: Log): Promise<Kernel | undefined> {
  try {
    // Required, not imported: importing CommonJS makes Node load its lexer, 5 MB.
    const koffi = createRequire(import.meta.url)('koffi') as typeof Koffi
    // The running process itself: libc is in it under whatever name this system gives it.
    const libc = koffi.load(null)
    return new KoffiKernel(
      {
        getsockopt: libc.func(
          'int getsockopt(int fd, int level, int name, void *value, _Inout_ uint32_t *length)',
        ) as Getsockopt,
        setsockopt: libc.func(
          'int setsockopt(int fd, int level, int name, void *value, uint32_t length)',
        ) as Setsockopt,
        ioctl: libc.func('int ioctl(int fd, unsigned long request, ...)') as Ioctl,
      },
      () => koffi.errno(),
    )
  } catch (cause) {
    log.warn(
      { err: cause },
      'koffi cannot be loaded: original destinations are unknown, redirected connections are routed by their server name',
    )
    return undefined
  }
}

interface Calls {
  readonly getsockopt: Getsockopt
  readonly setsockopt: Setsockopt
  readonly ioctl: Ioctl
}

class KoffiKernel implements Kernel {
  readonly #calls: Calls
  readonly #errno: () => number
  #pf: number | undefined

  constructor(calls: Calls, errno: () => number) {
    this.#calls = calls
    this.#errno = errno
  }

  getOption(
    socket: Socket,
    option: { level: number; name: number; length: number },
  ): KernelAnswer {
    const fd = descriptorOf(socket)
    if (fd === undefined) return { kind: 'error', errno: EBADF }
    const bytes = Buffer.alloc(option.length)
    const length = [option.length]
    if (this.#calls.getsockopt(fd, option.level, option.name, bytes, length) !== 0)
      return { kind: 'error', errno: this.#errno() }
    return { kind: 'bytes', bytes: bytes.subarray(0, length[0]) }
  }

  /** One option serves IPv4 and IPv6 sockets on Linux: both set the same flag. */
  setTransparent(server: Server): string | undefined {
    const fd = descriptorOf(server)
    if (fd === undefined) return 'the server does not listen'
    const on = Buffer.alloc(4)
    on.writeUInt32LE(1)
    if (this.#calls.setsockopt(fd, SOL_IP, IP_TRANSPARENT, on, on.length) === 0)
      return undefined
    return `IP_TRANSPARENT was refused (errno ${this.#errno()}); it needs CAP_NET_RAW or CAP_NET_ADMIN`
  }

  pfControl(request: number, bytes: Buffer): KernelAnswer {
    try {
      this.#pf ??= openSync('/dev/pf', 'r')
    } catch (cause) {
      const { errno } = cause as NodeJS.ErrnoException
      return { kind: 'error', errno: Math.abs(errno ?? EBADF) }
    }
    if (this.#calls.ioctl(this.#pf, request, 'void *', bytes) === 0)
      return { kind: 'bytes', bytes }
    const errno = this.#errno()
    if (errno === EBADF) {
      closeSync(this.#pf)
      this.#pf = undefined
    }
    return { kind: 'error', errno }
  }
}

/** Node keeps the descriptor in a field that it does not document; gone on closed sockets. */
function descriptorOf(owner: Socket | Server): number | undefined {
  const { _handle: handle } = owner as unknown as { _handle?: { fd?: number } | null }
  const fd = handle?.fd
  return fd === undefined || fd < 0 ? undefined : fd
}
