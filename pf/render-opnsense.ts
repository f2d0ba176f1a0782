/**
 * The hook by which OPNsense's rule set leads to the anchor: a PHP file for
 * `/usr/local/etc/inc/plugins.inc.d/yori.inc`. It stays the same whatever the anchor holds, as
 * a bad line in the main rule set would hinder every later change of the firewall. Pure.
 */
import { page } from './render-words.js'
import type { Rendered } from './render-words.js'
import { interfaceProblems, sources } from './rules.js'
import type { Steering } from './rules.js'

/**
 * Every name in it has been checked to hold letters, digits, `_`, `.` and `-` only.
 * Interfaces may be named as the system does (em1) or as OPNsense does (lan, opt1).
 */
export function renderOpnsense(steering: Steering): Rendered {
  const problems = interfaceProblems(steering)
  if (problems.length > 0) return { kind: 'invalid', problems }
  const { interfaces, targets, exempt, blocked, tables } = steering
  const names = interfaces.map(({ name }) => `'${name}'`).join(', ')
  const alias = exempt.some(({ kind }) => kind === 'alias')
  const wanted = [
    tables.llm,
    ...(alias ? [] : [tables.exempt]),
    ...(blocked.length === 0 ? [] : [tables.blocked]),
  ]
  const families = targets.map(({ family }) => family)
  const protocol = families.length === 2 ? 'inet46' : (families[0] ?? 'inet46')
  const ports = [...new Set(targets.map(({ port }) => port))]
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
      '    $names = [];',
      '    foreach ($fw->getInterfaceMapping() as $name => $details) {',
      '        if (in_array($name, $wanted, true) || in_array($details["if"] ?? "", $wanted, true)) {',
      '            $names[] = $name;',
      '        }',
      '    }',
      '    if (empty($names)) {',
      '        return;',
      '    }',
      ...wanted.map((name) => `    $fw->registerTable('${name}', true);`),
      "    $fw->registerAnchor('yori', 'rdr', 0, 'tail');",
      "    $fw->registerAnchor('yori', 'fw', 0, 'head');",
      ...ports.flatMap((port) => [
        `    // ${sources(targets)}`,
        '    $fw->registerFilterRule(500001, [',
        "        'interface' => implode(',', $names),",
        `        'ipprotocol' => '${protocol}',`,
        "        'type' => 'pass',",
        "        'direction' => 'in',",
        "        'quick' => true,",
        "        'protocol' => 'tcp',",
        `        'to_port' => '${port}',`,
        "        'tagged' => 'YORI',",
        "        'statetype' => 'keep',",
        "        'disablereplyto' => 1,",
        "        'label' => 'yori-pass',",
        "        'descr' => 'YORI: redirected LLM traffic',",
        '    ]);',
      ]),
      '}',
    ]),
  }
}
