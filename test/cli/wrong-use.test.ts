/**
 * Nothing ends without a word: every command with every kind of wrong argument says a sentence on
 * standard error and ends with 2; every help has examples, and each of them can be typed.
 */
import assert from 'node:assert/strict'
import { COMMANDS } from '../../src/cli/command-list.js'
import { CommanderError } from '../../src/cli/commander.js'
import type { Command } from '../../src/cli/commander.js'
import { EXAMPLES } from '../../src/cli/examples.js'
import { yori } from '../../src/cli/program.js'
import { packageFile } from '../../src/core/package-root.js'
import { runCli } from '../support/cli.js'
import { runProgram } from '../support/programs.js'
import { tempFolder } from '../support/temp-folder.js'
import type { TempFolder } from '../support/temp-folder.js'

interface Leaf {
  readonly path: readonly string[]
  readonly command: Command
}

/** Every command and its inner ones, with its path. */
async function everyCommand(): Promise<Leaf[]> {
  const found: Leaf[] = []
  const walk = (command: Command, path: readonly string[]): void => {
    found.push({ path, command })
    for (const inner of command.commands)
      if (inner.name() !== 'help') walk(inner, [...path, inner.name()])
  }
  for (const name of Object.keys(COMMANDS)) {
    const program = await yori([name], false)
    walk(program.commands.find((one) => one.name() === name) as Command, [name])
  }
  return found
}

/** What is said and how it ends when `args` are parsed; actions are taken out. */
async function parsed(args: readonly string[]): Promise<{ code: number; says: string }> {
  let says = ''
  try {
    const program = await yori(args, false)
    const quiet = (command: Command): void => {
      command.configureOutput({ writeOut: add, writeErr: add })
      if (command.commands.length === 0) command.action(() => undefined)
      command.commands.forEach(quiet)
    }
    const add = (text: string): void => void (says += text)
    quiet(program)
    await program.parseAsync(args, { from: 'user' })
    return { code: 0, says }
  } catch (error) {
    assert.ok(error instanceof CommanderError, String(error))
    return { code: error.exitCode === 0 ? 0 : 2, says: says || error.message }
  }
}

/** Of the parser's: a value that takes the place of each argument that must be there. */
const filled = ({ command }: Leaf): string[] =>
  command.registeredArguments.filter(({ required }) => required).map(() => 'x')

const mustBeGiven = ({ command }: Leaf): string[] =>
  command.options
    .filter(({ mandatory }) => mandatory)
    .flatMap(({ long }) => [`${long}`, 'x'])

describe('the commands', () => {
  let all: Leaf[]
  before(async () => (all = await everyCommand()))

  it('say what is wrong with an option that they do not know', async () => {
    for (const leaf of all) {
      const { code, says } = await parsed([
        ...leaf.path,
        ...mustBeGiven(leaf),
        ...filled(leaf),
        '--nonsense',
      ])
      assert.equal(code, 2, leaf.path.join(' '))
      assert.match(says, /nonsense/, leaf.path.join(' '))
    }
  })

  it('say what is wrong with an argument too many, or a command that there is not', async () => {
    for (const leaf of all) {
      if (leaf.command.registeredArguments.some(({ variadic }) => variadic)) continue
      const most = leaf.command.registeredArguments.map(() => 'x')
      const args = [...leaf.path, ...mustBeGiven(leaf), ...most, 'nonsense']
      const { code, says } = await parsed(args)
      assert.equal(code, 2, args.join(' '))
      assert.match(says, /too many arguments|unknown command 'nonsense'/, args.join(' '))
      assert.match(says, /--help tells how/, args.join(' '))
    }
  })

  it('say which argument is missing', async () => {
    for (const leaf of all) {
      const needed = filled(leaf)
      if (needed.length === 0) continue
      const args = [...leaf.path, ...mustBeGiven(leaf), ...needed.slice(1)]
      const { code, says } = await parsed(args)
      assert.equal(code, 2, args.join(' '))
      assert.match(says, /missing required argument/, args.join(' '))
    }
  })

  it('say which option is missing, or its value', async () => {
    for (const leaf of all)
      for (const option of leaf.command.options) {
        if (option.mandatory) {
          const { code, says } = await parsed([...leaf.path, ...filled(leaf)])
          assert.equal(code, 2, leaf.path.join(' '))
          assert.match(says, /required option/, leaf.path.join(' '))
        }
        if (!option.required) continue
        const args = [...leaf.path, ...filled(leaf), option.long ?? option.short ?? '']
        const { code, says } = await parsed(args)
        assert.equal(code, 2, args.join(' '))
        assert.match(says, /argument missing/, args.join(' '))
      }
  })

  it('say which values an option takes', async () => {
    for (const leaf of all)
      for (const { argChoices, long } of leaf.command.options) {
        if (argChoices === undefined) continue
        const { code, says } = await parsed([
          ...leaf.path,
          ...filled(leaf),
          `${long}`,
          'x',
        ])
        assert.equal(code, 2)
        for (const choice of argChoices) assert.ok(says.includes(choice), says)
      }
  })

  it('end a group that is asked for nothing with its commands', async () => {
    for (const { path, command } of all) {
      if (command.commands.length === 0) continue
      const { code, says } = await parsed(path)
      assert.equal(code, 2, path.join(' '))
      for (const inner of command.commands) assert.ok(says.includes(inner.name()), says)
    }
  })

  it('have a help with two examples at least, each of which is understood', async () => {
    for (const { path } of all) {
      const name = ['yori', ...path].join(' ')
      const examples = EXAMPLES[name] ?? []
      assert.ok(examples.length >= 2, `${name} has no examples`)
      const { code, says } = await parsed([...path, '--help'])
      assert.equal(code, 0, name)
      for (const [typed] of examples) {
        assert.ok(says.includes(typed), `${name} does not show ${typed}`)
        const words = typedWords(typed)
        const answer = await parsed(words)
        assert.equal(answer.code, 0, `${typed}: ${answer.says}`)
      }
    }
  })

  it('are described in the list of all as they describe themselves', async () => {
    for (const { path, command } of all)
      if (path.length === 1)
        assert.equal(COMMANDS[path[0] as string]?.summary, command.description())
  })
})

/** The last call of YORI in a line of a shell, as its words. */
function typedWords(line: string): string[] {
  const call = line.slice(line.lastIndexOf('yori ')).replace(/\)"?$| [>|] .*/, '')
  const words = call.match(/"[^"]*"|\S+/g) ?? []
  return words.slice(1).map((word) => word.replaceAll('"', ''))
}

/** What a command itself finds wrong, and what it must name. */
const FOUND_BY_THE_COMMAND: readonly (readonly [readonly string[], RegExp])[] = [
  [['stauts'], /there is no command "stauts"; did you mean status\?/],
  [['xyzzy'], /there is no command "xyzzy"; yori --help/],
  [['approve', 'x'], /x is no code such as/],
  [['approve', '7F3-K2M', '--once', '--always'], /exclude each other/],
  [['pin', 'make', 'x'], /x is no code such as/],
  [['pin', 'make', '7F3-K2M', '--minutes', '0'], /whole number from 1 to 60/],
  [
    ['time', 'add', 'a', '--start', '25:00', '--end', '1:00'],
    /25:00 is not a time of day/,
  ],
  [['time', 'add', 'a', '--start', '01:00', '--end', '01:00'], /no time at all/],
  [
    ['time', 'add', 'a', '--start', '01:00', '--end', '02:00', '--days', 'xday'],
    /xday is not a day/,
  ],
  [
    ['time', 'add', 'a', '--start', '01:00', '--end', '02:00', '--timezone', 'X/Y'],
    /X\/Y is not a time zone/,
  ],
  [
    ['time', 'add', 'a', '--start', '01:00', '--end', '02:00', '--devices', 'x'],
    /x is neither an IP nor a MAC/,
  ],
  [['allowlist', 'add', 'x', 'y'], /x is neither an IP nor a MAC address/],
  [['allowlist', 'add', '192.0.2.1', 'y', '--mac', 'z'], /z is not a MAC address/],
  [['allowlist', 'check', '00:53:00:12:34:56'], /is not an IP address/],
  [['allowlist', 'add', '192.0.2.1', 'y', '--expires', 'x'], /x is neither a span/],
  [['ca', 'rotate', '--activate'], /go with --root/],
  [['ca', 'rotate', '--root', '--at', 'x'], /--at wants a date to come/],
  [['ca', 'export', '--root-key'], /give --out/],
  [['ca', 'import'], /give --cert and --key/],
  [['service', 'install', '--dry-run', '--system', 'x'], /expected systemd or rc\.d/],
  [['service', 'install', '--dry-run', '--root', 'x'], /takes an absolute path/],
  [['emergency', 'extend', 'x'], /whole number|from 1 to/i],
  [['status', '--days', '0'], /whole number from 1/],
  [['audit', 'list', '--limit', '-1'], /whole number from 0/],
]

/** What was said by the parser, or by the command itself, which is said by `main`. */
async function refusal(args: readonly string[]): Promise<string> {
  let says = ''
  const add = (text: string): void => void (says += text)
  const listen = (command: Command): void => {
    command.configureOutput({ writeOut: add, writeErr: add })
    command.commands.forEach(listen)
  }
  try {
    const program = await yori(args, false)
    listen(program)
    await program.parseAsync(args, { from: 'user' })
  } catch (error) {
    assert.ok(error instanceof CommanderError, String(error))
    return says + error.message
  }
  return assert.fail(`${args.join(' ')} was taken`)
}

describe('what a command finds wrong', () => {
  let folder: TempFolder
  const { YORI_STATE_DIR: before_ } = process.env
  before(async () => {
    folder = await tempFolder()
    process.env['YORI_STATE_DIR'] = folder.file('state')
  })
  after(async () => {
    if (before_ === undefined) delete process.env['YORI_STATE_DIR']
    else process.env['YORI_STATE_DIR'] = before_
    await folder[Symbol.asyncDispose]()
  })

  for (const [args, says] of FOUND_BY_THE_COMMAND)
    it(`is told for \`yori ${args.join(' ')}\``, async () => {
      assert.match(await refusal(args), says)
    })

  for (const args of [['stauts'], ['approve', 'x'], ['allowlist', 'add', 'x', 'y']])
    it(`is said on standard error by \`yori ${args.join(' ')}\``, async () => {
      const ran = await runCli(args, { cwd: folder.path })
      const [, says] = FOUND_BY_THE_COMMAND.find(([one]) => isSame(one, args)) ?? []
      assert.match(ran.stderr, says as RegExp)
      assert.match(ran.stderr, /^yori: .*\n$/)
      assert.equal(ran.status, 2)
      assert.equal(ran.stdout, '')
    })

  it('is said for a conversation that nobody knows', async () => {
    await using own = await tempFolder()
    const env = { YORI_STATE_DIR: own.file('state') }
    const ran = await runCli(['sessions', 'stop', 'nobody'], { cwd: own.path, env })
    assert.match(ran.stderr, /no conversation nobody is recorded yet/)
  })
})

const isSame = (a: readonly string[], b: readonly string[]): boolean =>
  a.join(' ') === b.join(' ')

describe('the ends of a command', () => {
  it('are quiet when its reader goes first', async () => {
    await using folder = await tempFolder()
    const line = `"${process.execPath}" "${MAIN}" config explain | head -n 1`
    const ran = await runProgram('bash', ['-o', 'pipefail', '-c', line], {
      cwd: folder.path,
    })
    assert.equal(ran.stderr, '')
    assert.equal(ran.stdout.toString().trim().split('\n').length, 1)
    assert.equal(ran.status, 0)
  })

  it('name what was not found in words, and are no fault of ours', async () => {
    await using folder = await tempFolder()
    const missing = folder.file('missing')
    for (const [args, code] of [
      [['policy', 'check', missing], 4],
      [['policy', 'eval', '--query', '1', '--data', missing], 4],
      [['pf', 'check', missing], 4],
      [['ca', 'import', '--cert', missing, '--key', missing], 4],
      [['config', 'check', '--config', missing], 1],
    ] as const) {
      const ran = await runCli([...args], { cwd: folder.path })
      const said = ran.stderr + ran.stdout
      assert.match(said, /there is no such file|cannot be read|does not exist/, said)
      assert.match(said, new RegExp(missing), args.join(' '))
      assert.doesNotMatch(said, /^(yori: )?ENOENT|fault of YORI|^\s+at /m)
      assert.equal(ran.status, code, `${args.join(' ')}: ${said}`)
    }
  })

  it('are a help for who types nothing at a terminal, and a start for a script', async () => {
    assert.equal(typeOfStart(await yori([], true)), 'help')
    assert.equal(typeOfStart(await yori([], false)), 'run')
    assert.equal(typeOfStart(await yori(['--config', 'x'], true)), 'run')
    assert.equal(typeOfStart(await yori(['--config=x'], false)), 'run')
  })
})

const MAIN = packageFile('dist', 'src', 'cli', 'main.js')

/** Of what is the default, if anything. */
function typeOfStart(program: Command): string {
  const run = program.commands.find((one) => one.name() === 'run')
  return (run?.options.length ?? 0) > 0 ? 'run' : 'help'
}
