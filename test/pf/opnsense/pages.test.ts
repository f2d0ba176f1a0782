import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import vm from 'node:vm'
import { renderSteering } from '../../../pf/render.js'
import { needs } from '../../support/needs.js'
import { tempFolder } from '../../support/temp-folder.js'
import { named, steering } from '../support.js'
import { MVC, childOf, modelFields, pluginFile, readXml } from './model.js'
import { EMPTY_XML, called } from './pages.js'
import { scriptsOf, voltProblems } from './volt.js'

const VIEWS = pluginFile(...MVC, 'views', 'OPNsense', 'YORI')
const CONTROLLERS = pluginFile(...MVC, 'controllers', 'OPNsense', 'YORI')
const SCRIPTS = pluginFile('src', 'opnsense', 'scripts', 'OPNsense', 'YORI')
const PAGES = pluginFile('src', 'opnsense', 'www', 'js', 'yori', 'pages.js')
const views = readdirSync(VIEWS).filter((name) => name.endsWith('.volt'))
const viewText = (name: string): string => readFileSync(join(VIEWS, name), 'utf8')

/** Of the framework, as its documentation has them. */
const PARTIALS = new Set([
  'layout_partials/base_form',
  'layout_partials/base_dialog',
  'layout_partials/base_bootgrid_table',
  'layout_partials/base_apply_button',
])

function apiActions(): Set<string> {
  return new Set(
    readdirSync(join(CONTROLLERS, 'Api')).flatMap((file) => {
      const text = readFileSync(join(CONTROLLERS, 'Api', file), 'utf8')
      const name = file.replace('Controller.php', '').toLowerCase()
      return [...text.matchAll(/public function (\w+)Action/g)].map(
        ([, action = '']) =>
          `${name}/${action.replaceAll(/[A-Z]/g, (one) => `_${one.toLowerCase()}`)}`,
      )
    }),
  )
}
/** What the base classes bring along. */
const INHERITED = ['settings/get']

describe('the pages of OPNsense', () => {
  for (const name of views)
    it(`${name} is whole, and its script is JavaScript`, () => {
      assert.deepEqual(voltProblems(viewText(name)), [])
      for (const script of scriptsOf(viewText(name)))
        assert.doesNotThrow(() => new vm.Script(script))
    })

  it('would not be whole with a tag, a block or an element left open', () => {
    const whole = '{% if a %}<p>{{ lang._("x") }}</p>{% endif %}'
    assert.deepEqual(voltProblems(whole), [])
    for (const [from, to] of [
      ['{% endif %}', ''],
      ['}}', ''],
      ['</p>', ''],
      ['_("x")', '_("x"'],
      ['"x"', '"x'],
      ['{% if', '{% for'],
    ] as const)
      assert.notDeepEqual(voltProblems(whole.replace(from, to)), [], to)
  })

  it('use partials and forms that are there', function () {
    needs(this, 'php')
    for (const name of views) {
      const used = [...viewText(name).matchAll(/partial\('([^']+)'/g)]
      for (const [, partial = ''] of used) assert.ok(PARTIALS.has(partial), partial)
    }
  })

  it('are given what they show by their controller, and nothing else', async function () {
    needs(this, 'php')
    await using folder = await tempFolder()
    const xml = folder.file('config.xml')
    writeFileSync(xml, EMPTY_XML)
    const pages = views.map((name) => basename(name, '.volt'))
    const answers = called(
      xml,
      pages.map((page) => ({ to: `index/${page}` })),
    )
    answers.forEach(({ error, view, parts }, index) => {
      const page = pages[index] ?? ''
      assert.equal(error, undefined)
      assert.equal(view, `OPNsense/YORI/${page}`)
      const used = new Set(viewText(`${page}.volt`).match(/\bform[A-Z]\w+/g) ?? [])
      assert.deepEqual([...used].sort(), [...parts].sort(), page)
    })
  })

  it('ask for what is there, and are reached by menu and rights', () => {
    const actions = new Set([...apiActions(), ...INHERITED])
    const texts = [...views.map(viewText), readFileSync(PAGES, 'utf8')]
    const asked = texts.flatMap((text) =>
      [...text.matchAll(/\/api\/yori\/(\w+\/\w+)/g)].map(([, path = '']) => path),
    )
    for (const path of asked) assert.ok(actions.has(path), path)
    // Those of grids are put together.
    for (const text of views.map(viewText))
      for (const [, row = '', isSwitched] of text.matchAll(
        /YORI\.grid\([^,]+, '(\w+)', (true|false)\)/g,
      ))
        for (const what of ['search', 'get', 'set', 'add', 'del'])
          assert.ok(
            actions.has(`settings/${what}_${row}`) &&
              actions.has(`settings/toggle_${row}`) === (isSwitched === 'true'),
            row,
          )
    const read = (name: string) =>
      readXml(
        readFileSync(pluginFile(...MVC, 'models', 'OPNsense', 'YORI', name), 'utf8'),
      )
    const menu = childOf(read('Menu/Menu.xml'), 'Services')?.children[0]
    const urls = menu?.children.map(({ attributes }) => attributes['url'] ?? '') ?? []
    const pages = urls.filter((url) => url.startsWith('/ui/yori'))
    assert.deepEqual(
      pages.map((url) => `${url.split('/')[4] ?? 'index'}.volt`).sort(),
      [...views].sort(),
    )
    const patterns = read('ACL/ACL.xml').children.map(
      (page) => childOf(page, 'patterns')?.children.map(({ text }) => text) ?? [],
    )
    const [all = [], ...parts] = patterns
    assert.deepEqual(all, ['ui/yori/*', 'api/yori/*'])
    for (const pattern of parts.flat()) {
      const [kind, , controller = 'index', action = '*'] = pattern.split('/')
      if (kind === 'ui') continue
      assert.ok(
        [...actions, 'service/status'].some(
          (one) =>
            one.startsWith(`${controller}/`) && (action === '*' || one.endsWith(action)),
        ),
        pattern,
      )
    }
  })

  it('have a field in a form for every leaf of the model, and no other', () => {
    const forms = readdirSync(join(CONTROLLERS, 'forms'))
    const ids = forms.flatMap((file) =>
      readXml(readFileSync(join(CONTROLLERS, 'forms', file), 'utf8')).children.flatMap(
        (field) => childOf(field, 'id')?.text ?? [],
      ),
    )
    const expected = modelFields().map(({ array, name }) =>
      array === undefined ? `yori.${name}` : `${array.split('.')[1]}.${name}`,
    )
    assert.deepEqual([...ids].sort(), [...expected].sort())
  })

  it('show texts as they are, and problems at their fields', () => {
    const places = new Map<string, { said: string; marked: boolean }>()
    const said: string[] = []
    const sandbox = {
      document: {
        getElementById: (id: string) => (id.endsWith('.mode') ? id : null),
      },
      $: (id: string | null) => ({
        length: id === null ? 0 : 1,
        text(value: string) {
          if (id !== null) places.set(id, { said: value, marked: false })
          return this
        },
        closest: () => ({
          addClass: () => {
            if (id !== null)
              places.set(id, { said: places.get(id)?.said ?? '', marked: true })
          },
        }),
      }),
      said,
    }
    const text = `${readFileSync(PAGES, 'utf8')}; YORI.say = (one) => said.push(one); YORI`
    const yori = vm.runInNewContext(text, sandbox) as {
      text: (value: unknown) => string
      number: (value: unknown) => string
      problems: (of: object) => void
    }
    assert.equal(yori.text('a &lt;b&gt; &amp;amp; c'), 'a <b> &amp; c')
    assert.equal(yori.text(null), '')
    assert.equal(yori.number('x'), '')
    yori.problems({
      'yori.mode': 'is &lt;wrong&gt;',
      'yori.devices.device.x.device_ip': 'y',
    })
    assert.deepEqual(places.get('help_block_yori.mode'), {
      said: 'is <wrong>',
      marked: true,
    })
    assert.deepEqual(said, ['yori.devices.device.x.device_ip: y'])
  })
})

describe("the widget on OPNsense's dashboard", () => {
  const text = readFileSync(
    pluginFile('src', 'opnsense', 'www', 'js', 'widgets', 'Yori.js'),
    'utf8',
  )
  const metadata = childOf(
    readXml(
      readFileSync(
        pluginFile('src', 'opnsense', 'www', 'js', 'widgets', 'Metadata', 'Yori.xml'),
        'utf8',
      ),
    ),
    'yori',
  )
  const translations = Object.fromEntries(
    (metadata === undefined
      ? undefined
      : childOf(metadata, 'translations')
    )?.children.map((one) => [one.name, one.text]) ?? [],
  )

  interface Widget {
    tickTimeout: number
    translations: Record<string, string>
    getMarkup(): unknown
    onWidgetTick(): Promise<void>
  }

  /** The widget on a stand-in of its base class, which notes what is drawn. */
  function widget(answer: unknown) {
    const tables: unknown[][] = []
    const asked: string[] = []
    class BaseTableWidget {
      translations = translations
      createTable(id: string): string {
        return id
      }
      updateTable(_id: string, rows: unknown[]): void {
        tables.push(rows)
      }
      ajaxCall(url: string): Promise<unknown> {
        asked.push(url)
        return Promise.resolve(answer)
      }
      dataChanged(): boolean {
        return true
      }
    }
    const source = text.replace('export default class Yori', 'Made = class Yori')
    const sandbox = {
      BaseTableWidget,
      Made: undefined,
      $: () => ({ append: () => undefined }),
    }
    vm.runInNewContext(source, sandbox)
    const Made = sandbox.Made as unknown as new () => Widget
    return { one: new Made(), tables, asked }
  }

  it('asks only what its metadata names, and has every word that it shows', async () => {
    const endpoints =
      (metadata === undefined ? undefined : childOf(metadata, 'endpoints'))?.children ??
      []
    const { one, asked, tables } = widget({
      mode: 'enforce',
      status: '<b>healthy</b>',
      usage: { total: { calls: 1234, blocks: 5 }, devices: [{}, {}] },
      waiting: { asks: [1, 2], alerts: 3 },
    })
    one.getMarkup()
    await one.onWidgetTick()
    for (const url of asked)
      assert.ok(
        endpoints.some(({ text: pattern }) => url.startsWith(pattern.replace('*', ''))),
        url,
      )
    assert.equal(tables.length, 1)
    // Of another realm until here.
    const drawn = JSON.parse(JSON.stringify(tables[0])) as unknown[][][]
    const shown = drawn.map((row) => row.flat())
    assert.deepEqual(shown, [
      [translations['mode'], 'enforce'],
      [translations['state'], '&lt;b&gt;healthy&lt;/b&gt;'],
      [translations['calls'], (1234).toLocaleString()],
      [translations['blocked'], '5'],
      [translations['devices'], '2'],
      [translations['waiting'], '5'],
    ])
    assert.ok(!shown.flat().includes(undefined))
  })

  it('says that YORI does not answer', async () => {
    for (const answer of [undefined, { error: 'YORI does not answer.' }]) {
      const { one, tables } = widget(answer)
      await one.onWidgetTick()
      assert.match(JSON.stringify(tables), /does not answer/)
    }
  })
})

describe("YORI's hooks in OPNsense", () => {
  const inc = pluginFile('src', 'etc', 'inc', 'plugins.inc.d', 'yori.inc')

  /** What a hook registers with a stand-in of the firewall. */
  function registered(php: string, config: object): unknown {
    const script = `
      if (!function_exists('gettext')) { function gettext($text) { return $text; } }
      class Fw {
        public $told = [];
        function getInterfaceMapping() {
          return ['lan' => ['if' => 'em1'], 'opt1' => ['if' => 'vlan10'], 'wan' => ['if' => 'em0']];
        }
        function __call($name, $words) { $this->told[] = array_merge([$name], $words); }
      }
      $config = json_decode(getenv('CONFIG'), true);
      eval('?>' . getenv('HOOK'));
      $fw = new Fw();
      yori_firewall($fw);
      echo json_encode(['told' => $fw->told, 'services' => function_exists('yori_services') ? yori_services() : null]);`
    const { status, stdout, stderr } = spawnSync('php', ['-r', script], {
      env: { ...process.env, CONFIG: JSON.stringify(config), HOOK: php },
      encoding: 'utf8',
    })
    assert.equal(status, 0, stdout + stderr)
    return JSON.parse(stdout)
  }

  it('lead to the anchor with the rules that `yori pf generate` has', function () {
    needs(this, 'php')
    const made = renderSteering('opnsense', {
      steering: steering({ interfaces: named('steer.interfaces', 'em1', 'vlan10') }),
      hosts: [],
    })
    assert.ok(made.kind === 'ok', JSON.stringify(made))
    const config = {
      OPNsense: { yori: { enabled: '1', steer_interfaces: 'lan,opt1' } },
    }
    type Told = { told: [string, ...unknown[]][] }
    const { told: generated } = registered(made.text, {}) as Told
    const { told } = registered(readFileSync(inc, 'utf8'), config) as Told
    const anchors = (of: Told['told']) => of.filter(([name]) => name === 'registerAnchor')
    assert.deepEqual(anchors(told), anchors(generated))
    // One rule for both families there is two here.
    const rules = (of: Told['told']): string[] =>
      of
        .filter(([name]) => name === 'registerFilterRule')
        .flatMap(([, priority, rule]) => {
          const { ipprotocol, ...rest } = rule as Record<string, unknown>
          const families = ipprotocol === 'inet46' ? ['inet', 'inet6'] : [ipprotocol]
          return families.map((family) =>
            JSON.stringify(
              [priority, family, ...Object.entries(rest).sort()].map(String),
            ),
          )
        })
        .sort()
    assert.deepEqual(rules(told), rules(generated))
    assert.equal(rules(told).length, 8)
  })

  it('do nothing while the service is off, or nothing is steered', function () {
    needs(this, 'php')
    const text = readFileSync(inc, 'utf8')
    const silent = { told: [], services: [] }
    const off = { enabled: '0', steer_interfaces: 'lan' }
    assert.deepEqual(registered(text, { OPNsense: { yori: off } }), silent)
    assert.deepEqual(registered(text, {}), silent)
    const on = registered(text, { OPNsense: { yori: { enabled: '1' } } }) as {
      told: unknown[]
      services: { name: string; pidfile: string }[]
    }
    assert.deepEqual(on.told, [])
    assert.equal(on.services[0]?.pidfile, '/var/run/yori.pid')
  })

  it('are of shell and Python that are whole', function () {
    needs(this, 'shellcheck', 'python3')
    const files = [
      ...readdirSync(SCRIPTS)
        .filter((name) => name.endsWith('.sh'))
        .map((name) => join(SCRIPTS, name)),
      pluginFile('src', 'etc', 'rc.d', 'yori'),
    ]
    const { status, stdout } = spawnSync('shellcheck', ['-s', 'sh', ...files], {
      encoding: 'utf8',
    })
    assert.equal(status, 0, stdout)
  })

  it('keep what YORI took last when it refuses what came', async () => {
    await using folder = await tempFolder()
    const conf = folder.file('yori.conf')
    const yori = folder.file('yori')
    writeFileSync(yori, '#!/bin/sh\necho "{}"\ngrep -q good "$5"\n', { mode: 0o755 })
    const check = () =>
      spawnSync('sh', [join(SCRIPTS, 'check.sh'), conf], {
        env: { ...process.env, YORI_COMMAND: yori },
        encoding: 'utf8',
      })
    writeFileSync(conf, 'good 1\n')
    assert.equal(check().stdout, '{}\n')
    writeFileSync(conf, 'bad\n')
    assert.equal(check().stdout, '{}\n')
    assert.equal(readFileSync(conf, 'utf8'), 'good 1\n')
    assert.equal(readFileSync(`${conf}.refused`, 'utf8'), 'bad\n')
  })

  it('hand over passwords of the page, and read no other file', async () => {
    await using folder = await tempFolder()
    const echo = folder.file('echo')
    writeFileSync(echo, '#!/bin/sh\necho "$*"\ncat\n', { mode: 0o755 })
    const run = (files: string) =>
      spawnSync('sh', [join(SCRIPTS, 'secret.sh'), files, 'emergency', 'x'], {
        env: { ...process.env, YORI_AS_USER: echo },
        encoding: 'utf8',
      })
    const [old, next] = ['a', 'b'].map((name) => `/tmp/yori_secret_${process.pid}${name}`)
    assert.ok(old !== undefined && next !== undefined)
    writeFileSync(old, 'pass word\nmore')
    writeFileSync(next, 'new')
    assert.equal(
      run(`${old},${next}`).stdout,
      'emergency x --password-file - --new-file -\npass word\nnew\n',
    )
    assert.ok(!existsSync(old) && !existsSync(next))
    const other = folder.file('other')
    writeFileSync(other, 'secret')
    for (const file of [other, `/tmp/yori_secret_/../..${other}`, '/etc/hostname']) {
      const { status, stdout } = run(file)
      assert.notEqual(status, 0)
      assert.equal(stdout, '')
    }
    assert.ok(existsSync(other))
    assert.equal(run('none').stdout, 'emergency x\n\n')
  })

  it('make lines of the log readable on the page', function () {
    needs(this, 'python3')
    const script = `
import importlib.util, sys, types
package = types.ModuleType('logformats')
class NewBaseLogFormat:
    def __init__(self, filename): self._line = ''
    def set_line(self, line): self._line = line
package.NewBaseLogFormat = NewBaseLogFormat
sys.modules['logformats'] = package
spec = importlib.util.spec_from_file_location('logformats.yori', sys.argv[1])
module = importlib.util.module_from_spec(spec); spec.loader.exec_module(module)
line = '{"level":40,"time":1700000000123,"pid":7,"hostname":"r","name":"x","msg":"hello"}'
found = module.YoriLogFormat('yori.log'); found.set_line(line)
print(found.match(line), found.match('May 1 a'), found.line, found.severity, found.pid, found.timestamp)
found.set_line('{"level":40 and no JSON'); print(found.line)`
    const file = pluginFile(
      'src',
      'opnsense',
      'scripts',
      'syslog',
      'logformats',
      'yori.py',
    )
    const { stdout, stderr } = spawnSync('python3', ['-B', '-c', script, file], {
      env: { ...process.env, TZ: 'UTC' },
      encoding: 'utf8',
    })
    assert.equal(
      stdout,
      'True False hello name="x" 4 7 2023-11-14T22:13:20.123\n{"level":40 and no JSON\n',
      stderr,
    )
  })
})
