/**
 * The hook by which OPNsense's rule set leads to the anchor: a PHP file for
 * `/usr/local/etc/inc/plugins.inc.d/yori.inc`. It stays the same whatever the anchor holds, as
 * a bad line in the main rule set would hinder every later change of the firewall. Pure.
 */
import { page } from './render-words.js'
import type { Rendered } from './render-words.js'
import { hasAddresses, interfaceProblems, isLoopback, sources } from './rules.js'
import type { Steering } from './rules.js'

/** Its web interface sends from here to HTTPS. */
const OPNSENSE_PORT = 80

/**
 * Every name in it has been checked to hold letters, digits, `_`, `.` and `-` only.
 * Interfaces may be named as the system does (em1) or as OPNsense does (lan, opt1).
 */
export function renderOpnsense(steering: Steering): Rendered {
  const problems = interfaceProblems(steering)
  if (steering.page?.port === OPNSENSE_PORT)
    problems.push({
      key: steering.page.from,
      wrong: `port ${OPNSENSE_PORT} is OPNsense's own page, which would be hidden from the steered networks`,
      right:
        'name another port such as 8080, or leave it out: the page is at the listener',
    })
  if (problems.length > 0) return { kind: 'invalid', problems }
  const { interfaces, targets, exempt, blocked, direct, tables } = steering
  const names = interfaces.map(({ name }) => `'${name}'`).join(', ')
  const alias = exempt.some(({ kind }) => kind === 'alias')
  const wanted = [
    tables.llm,
    ...(alias ? [] : [tables.exempt]),
    ...(blocked.length === 0 ? [] : [tables.blocked]),
    ...(hasAddresses(direct) ? [tables.clients] : []),
  ]
  const families = targets.map(({ family }) => family)
  const protocol = families.length === 2 ? 'inet46' : (families[0] ?? 'inet46')
  const ports = [...new Set(targets.map(({ port }) => port))]
  const pages = steering.listeners.filter((listener) => !isLoopback(listener))
  return {
    kind: 'ok',
    text: page([
      '<?php',
      '',
      '// Leads the rule set to the anchor "yori", whose content YORI loads and empties.',
      'function yori_firewall($fw)',
      '{',
      `    // ${sources(interfaces)}`,
      `    $wanted = [${names}];`,
      '    $networks = [];',
      '    foreach ($fw->getInterfaceMapping() as $name => $details) {',
      '        $device = $details["if"] ?? "";',
      '        if (in_array($name, $wanted, true) || in_array($device, $wanted, true)) {',
      '            $networks[$name] = "({$device}:network)";',
      '        }',
      '    }',
      '    if (empty($networks)) {',
      '        return;',
      '    }',
      ...wanted.map((name) => `    $fw->registerTable('${name}', true);`),
      "    $fw->registerAnchor('yori', 'rdr', 0, 'tail');",
      "    $fw->registerAnchor('yori', 'fw', 0, 'head');",
      '    // Late: a rule of your own that forbids it comes first; others are not let in.',
      '    foreach ($networks as $name => $network) {',
      ...ports.flatMap((port) => [
        `        // ${sources(targets)}`,
        ...latePass({
          protocol,
          port,
          more: ["'tagged' => 'YORI',"],
          label: 'yori-pass',
          descr: 'YORI: redirected LLM traffic',
        }),
      ]),
      ...pages.flatMap(({ port, family, address, from }) => [
        `        // ${from}`,
        ...latePass({
          protocol: family,
          port,
          more: [`'to' => '${address ?? '(self)'}',`],
          label: 'yori-page',
          descr: 'YORI: certificate, health and proxy',
        }),
      ]),
      '    }',
      '}',
    ]),
  }
}

/** A rule of the interface `$name`, for whoever stands in its network. */
function latePass({
  protocol,
  port,
  more,
  label,
  descr,
}: {
  readonly protocol: string
  readonly port: number
  readonly more: readonly string[]
  readonly label: string
  readonly descr: string
}): string[] {
  const fields = [
    "'interface' => $name,",
    `'ipprotocol' => '${protocol}',`,
    "'type' => 'pass',",
    "'direction' => 'in',",
    "'quick' => true,",
    "'protocol' => 'tcp',",
    "'from' => $network,",
    `'to_port' => '${port}',`,
    ...more,
    "'statetype' => 'keep',",
    "'disablereplyto' => 1,",
    `'label' => '${label}',`,
    `'descr' => '${descr}',`,
  ]
  return [
    '        $fw->registerFilterRule(500001, [',
    ...fields.map((field) => `            ${field}`),
    '        ]);',
  ]
}
