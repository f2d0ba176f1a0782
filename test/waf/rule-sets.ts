/** Rule sets of our own, as small as one can be, in the shapes of either generation. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** `rule`: one more, as a directive. */
export function writeRuleSet(folder: string, version: string, rule = ''): string {
  const rules = join(folder, 'rules')
  mkdirSync(rules, { recursive: true })
  const isThree = version.startsWith('3.')
  const level = isThree ? 'paranoia_level' : 'blocking_paranoia_level'
  const score = isThree ? 'anomaly_score' : 'blocking_inbound_anomaly_score'
  const file = (name: string, text: string): void =>
    writeFileSync(join(rules, `REQUEST-${name}.conf`), text)
  file(
    '901-INITIALIZATION',
    `SecComponentSignature "OWASP_CRS/${version}"
SecRule &TX:crs_setup_version "@eq 0" "id:901001,phase:1,deny,status:500,log,msg:'no setup'"
SecRule TX:${level} "@lt 1" "id:901002,phase:1,deny,status:500,log,msg:'no level'"
SecAction "id:901003,phase:1,pass,nolog,setvar:'tx.${score}=0'"
`,
  )
  file(
    '942-SQL',
    `SecRule ARGS|REQUEST_HEADERS "@detectSQLi" "id:942100,phase:2,block,log,msg:'SQL',logdata:'Matched Data: %{TX.0} found within %{MATCHED_VAR_NAME}: %{MATCHED_VAR}',tag:'attack-sqli',tag:'paranoia-level/1',severity:'CRITICAL',setvar:'tx.${score}=+5'"
${rule}
`,
  )
  file(
    '949-EVALUATION',
    `SecRule TX:${score} "@ge %{tx.inbound_anomaly_score_threshold}" "id:949110,phase:2,deny,status:403,log,msg:'Inbound Anomaly Score Exceeded (Total Score: %{TX.${score}})'"
`,
  )
  return folder
}
