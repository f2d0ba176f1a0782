/**
 * Network namespaces joined by veth pairs: machines of a test, without leaving this one. Needs
 * root, `ip` and `nft`; everything made is removed at disposal, and at exit of the process.
 */
import { execFileSync, spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createInterface, type Interface } from 'node:readline'
import { PATIENCE_MS } from './patience.js'

let serial = 0

/** Of this process: its number alone comes again. */
const OURS = `yori-${process.pid}-${startOf(process.pid)}-`

/** When a process began, in ticks of the kernel; undefined: there is no such one. proc(5). */
function startOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]
  } catch {
    return undefined
  }
}

/** Takes away what a run left that was killed, with the programs that go on in it. */
function sweep(): void {
  const { stdout } = spawnSync('ip', ['netns', 'list'], { encoding: 'utf8' })
  for (const [name, pid, began] of stdout.matchAll(/^yori-(\d+)-(\d+)-\S+/gm)) {
    if (startOf(Number(pid)) === began) continue
    endAll(name)
    spawnSync('ip', ['netns', 'del', name])
  }
}

/** Programs may have started others, which outlive them. */
function endAll(name: string): void {
  const { stdout } = spawnSync('ip', ['netns', 'pids', name], { encoding: 'utf8' })
  for (const pid of stdout.split('\n').filter(Boolean))
    try {
      process.kill(Number(pid), 'SIGKILL')
    } catch {
      // It has ended meanwhile.
    }
}

export interface Link {
  /** Interface names inside the two namespaces, and their addresses with prefix length. */
  readonly from: {
    readonly machine: string
    readonly name: string
    readonly addresses: readonly string[]
  }
  readonly to: {
    readonly machine: string
    readonly name: string
    readonly addresses: readonly string[]
  }
}

export class Namespaces implements AsyncDisposable {
  readonly #prefix = `${OURS}${serial++}`
  readonly #names = new Set<string>()
  readonly #children = new Set<ChildProcess>()
  readonly #onExit = (): void => this.#removeAll()

  constructor(machines: readonly string[]) {
    if (serial === 1) sweep()
    process.once('exit', this.#onExit)
    for (const machine of machines) {
      this.#names.add(machine)
      execFileSync('ip', ['netns', 'add', this.#full(machine)])
      this.run(machine, 'ip link set lo up')
    }
  }

  /** Joins two machines. Addresses are usable at once: no duplicate detection. */
  link({ from, to }: Link): void {
    const peer = ['peer', 'name', to.name, 'netns', this.#full(to.machine)]
    const here = ['link', 'add', from.name, 'netns', this.#full(from.machine)]
    execFileSync('ip', [...here, 'type', 'veth', ...peer])
    for (const { machine, name, addresses } of [from, to]) {
      for (const address of addresses) {
        const nodad = address.includes(':') ? ' nodad' : ''
        this.run(machine, `ip address add ${address} dev ${name}${nodad}`)
      }
      this.run(machine, `ip link set ${name} up`)
    }
  }

  /** One command line without quoting. Throws with its stderr when it fails. */
  run(machine: string, command: string, input?: string): string {
    const words = ['netns', 'exec', this.#full(machine), ...command.split(' ')]
    return execFileSync('ip', words, {
      encoding: 'utf8',
      timeout: PATIENCE_MS,
      stdio: ['pipe', 'pipe', 'pipe'],
      ...(input === undefined ? {} : { input }),
    })
  }

  /** What `ip` is told to run a program there. */
  words(machine: string, ...command: readonly string[]): string[] {
    return ['netns', 'exec', this.#full(machine), ...command]
  }

  /** A program that stays; ended at disposal. */
  spawn(machine: string, command: string, args: readonly string[] = []): Program {
    const child = spawn('ip', this.words(machine, command, ...args), {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    this.#children.add(child)
    return new Program(child)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const child of this.#children) {
      if (child.exitCode !== null || child.signalCode !== null) continue
      const gone = once(child, 'exit')
      child.kill('SIGKILL')
      await gone
    }
    this.#removeAll()
    process.off('exit', this.#onExit)
  }

  #removeAll(): void {
    for (const child of this.#children) child.kill('SIGKILL')
    for (const machine of this.#names) {
      endAll(this.#full(machine))
      spawnSync('ip', ['netns', 'del', this.#full(machine)])
    }
    this.#names.clear()
  }

  /** What `ip netns` calls it. */
  name(machine: string): string {
    return this.#full(machine)
  }

  #full(machine: string): string {
    return `${this.#prefix}-${machine}`
  }
}

/** Reads what a program prints, line by line. */
export class Program {
  readonly child: ChildProcess
  readonly #lines: Interface
  readonly #waiting: ((line: string) => void)[] = []
  readonly #ready: string[] = []

  constructor(child: ChildProcess) {
    this.child = child
    if (child.stdout === null) throw new Error('no stdout')
    this.#lines = createInterface({ input: child.stdout })
    this.#lines.on('line', (line) => {
      const next = this.#waiting.shift()
      if (next === undefined) this.#ready.push(line)
      else next(line)
    })
  }

  /** The next line; rejects when the program ends before it comes. */
  line(): Promise<string> {
    const ready = this.#ready.shift()
    if (ready !== undefined) return Promise.resolve(ready)
    return new Promise((resolve, reject) => {
      const ended = (): void => reject(new Error('the program ended'))
      this.#lines.once('close', ended)
      this.#waiting.push((line) => {
        this.#lines.off('close', ended)
        resolve(line)
      })
    })
  }
}
