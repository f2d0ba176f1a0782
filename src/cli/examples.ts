/** Two lines at least for the help of every command, each one that can be typed as it stands. */

type Example = readonly [typed: string, does: string]

/** By command, as it is typed without its arguments. */
export const EXAMPLES: Readonly<Record<string, readonly Example[]>> = {
  yori: [
    ['yori run --state-dir ./var', 'listen on port 8443, and look on'],
    ['yori exec -- codex', 'an agent whose requests are recorded'],
    ['yori watch', 'what happens from now on'],
    ['yori audit list --since 1h', 'what came in the last hour'],
  ],
  'yori run': [
    ['yori run', 'with the configuration that is found'],
    ['yori run --host 127.0.0.1 --port 8443', 'for this machine alone'],
    ['yori run --host 127.0.0.1 --keep', 'with whole conversations in the record'],
    [
      'yori run --base-url https://api.openai.com --type openai',
      'a gateway on 127.0.0.1:4000',
    ],
  ],
  'yori generate-config': [
    ['yori generate-config gateway.yaml', 'a gateway to one provider'],
    ['yori generate-config gateway.yaml --force', 'over what is there'],
  ],
  'yori validate-config': [
    ['yori validate-config gateway.yaml', 'every problem, with its line'],
    ['yori validate-config gateway.yaml --json', 'for programs'],
  ],
  'yori status': [
    ['yori status', 'how things stand'],
    ['yori status --days 30 --json', 'a month, for programs'],
  ],
  'yori dashboard': [
    ['yori dashboard', 'open it in a browser, once'],
    ['yori dashboard --no-open', 'print the link, for a browser elsewhere'],
  ],
  'yori mcp': [
    ['yori mcp', 'as the command of a server in an assistant’s settings: it looks only'],
    ['yori mcp --role household', 'it may also approve and pause, after a confirmation'],
  ],
  'yori mcp-wrap': [
    ['yori mcp-wrap files -- npx some-server ./docs', 'governed by mcp.servers.files'],
    [
      'yori mcp-wrap files --door http://127.0.0.1:8443 -- some-server',
      'by a YORI that listens there',
    ],
  ],
  'yori alert': [
    ['yori alert list', 'what was told, and to whom'],
    ['yori alert test phone', 'whether a sink takes a message'],
  ],
  'yori alert list': [
    ['yori alert list', 'what nobody has answered'],
    ['yori alert list --all --json', 'everything, for programs'],
  ],
  'yori alert ack': [
    ['yori alert ack 0b13b717', 'by the id that the list shows'],
    ['yori alert ack 0b13b717 --json', 'for programs'],
  ],
  'yori alert snooze': [
    ['yori alert snooze 0b13b717', 'a day of silence'],
    ['yori alert snooze 0b13b717 --for 2h', 'or two hours'],
  ],
  'yori alert test': [
    ['yori alert test phone', 'one of alerts.sinks'],
    ['yori alert test mail --json', 'for programs'],
  ],
  'yori watch': [
    ['yori watch', 'what happens from now on'],
    ['yori watch --outcome block --last 20', 'what is blocked, and the last of it'],
    ['yori watch --model claude --json', 'one kind of model, for programs'],
  ],
  'yori record': [
    ['yori record --to recordings', 'whole exchanges, a file each, until Ctrl-C'],
    ['yori record --to recordings --model gpt-4o-mini', 'those of one model'],
  ],
  'yori replay': [
    ['yori replay recordings/ --config config.yaml --delay 0.5', 'by that configuration'],
    ['yori replay recordings --policies ./policies', 'which decisions would differ'],
    ['yori replay recordings --simulate', 'a provider that answers what was recorded'],
  ],
  'yori audit': [
    ['yori audit list --since 24h', 'what the last day brought'],
    ['yori audit stats --since 7d', 'a week, counted'],
  ],
  'yori audit list': [
    ['yori audit list --since 24h', 'what the last day brought'],
    ['yori audit list --outcome block --limit 10', 'what was blocked of late'],
  ],
  'yori audit show': [
    ['yori audit show 7F3-K2M', 'by the code of a block page'],
    ['yori audit show 1f2e3d4c --as curl', 'by the end of its id, to send it again'],
  ],
  'yori audit stats': [
    ['yori audit stats --since 7d', 'a week, counted'],
    ['yori audit stats --device 192.168.1.23', 'one device alone'],
  ],
  'yori bundle': [
    ['yori bundle build policies --out bundle.tar.gz --revision 7', 'a folder, packed'],
    [
      'yori bundle sign bundle.tar.gz --key signing.pem',
      'so that gateways can verify it',
    ],
  ],
  'yori bundle build': [
    ['yori bundle build policies --out bundle.tar.gz', 'for any server of files'],
    [
      'yori bundle build policies --out bundle.tar.gz --revision 7',
      'seen in `yori status`',
    ],
  ],
  'yori bundle sign': [
    ['yori bundle sign bundle.tar.gz --key signing.pem', 'by RSA or P-256'],
    ['yori bundle sign bundle.tar.gz --key secret --key-id shared', 'by a shared secret'],
  ],
  'yori fleet': [
    ['yori fleet import old/audit.db --gateway branch-south', 'what an old box recorded'],
    ['yori fleet import month.csv --gateway branch-south', 'out of `yori audit export`'],
  ],
  'yori fleet import': [
    ['yori fleet import old/audit.db --gateway branch-south', 'a database, whole'],
    [
      'yori fleet import month.csv --gateway branch-south --json',
      'an export of exchanges; again is nothing new',
    ],
  ],
  'yori audit export': [
    ['yori audit export --since 30d --out month.csv', 'for a spreadsheet'],
    [
      'yori audit export --format ecs --since 1d',
      'for Elastic; also ocsf, cef, otlp, har, jsonl',
    ],
  ],
  'yori audit verify': [
    ['yori audit verify', 'is the record what was written'],
    ['yori audit verify --heads /mnt/usb/heads.jsonl', 'held to heads kept elsewhere'],
  ],
  'yori audit prune': [
    ['yori audit prune --dry-run', 'how many rows would go'],
    ['yori audit prune --older-than 30', 'keep a month'],
  ],
  'yori audit vacuum': [
    ['yori audit vacuum', 'a smaller file, after much was deleted'],
    ['yori audit vacuum --json', 'bytes before and after'],
  ],
  'yori audit backup': [
    ['yori audit backup audit-copy.db', 'while it runs; sqlite3 reads it'],
    ['yori audit backup --force /mnt/usb/audit.db', 'over the one of last week'],
  ],
  'yori audit restore': [
    ['yori audit restore audit-copy.db', 'with YORI stopped'],
    ['yori audit restore --force /mnt/usb/audit.db', 'over what an earlier one kept'],
  ],
  'yori agents': [
    ['yori agents list', 'who asked last, and the risk of each'],
    ['yori agents show agent_0f3a9c', 'what each check says of one'],
  ],
  'yori agents list': [
    ['yori agents list --days 7', 'those of a week'],
    ['yori agents list --json', 'for programs'],
  ],
  'yori agents show': [
    ['yori agents show agent_0f3a9c', 'with the requests that each check rests on'],
    ['yori agents show agent_0f3a9c --json', 'for programs'],
  ],
  'yori sessions': [
    ['yori sessions list --since 24h', "the last day's conversations"],
    ['yori sessions stop 7f3a9c', 'block what follows in one'],
  ],
  'yori sessions list': [
    ['yori sessions list --since 24h', 'those of the last day'],
    ['yori sessions list --device 192.168.1.23', 'those of one device'],
  ],
  'yori sessions show': [
    ['yori sessions show 7f3a9c', 'by the end of its id'],
    ['yori sessions show 7f3a9c --json', 'for programs'],
  ],
  'yori sessions stop': [
    ['yori sessions stop 7f3a9c', 'for a week'],
    ['yori sessions stop 7f3a9c --for 1h --reason "Dinner"', 'and tell its agent why'],
  ],
  'yori sessions resume': [
    ['yori sessions resume 7f3a9c', 'let it go on'],
    ['yori sessions resume 7f3a9c --device laptop', 'of one device alone'],
  ],
  'yori sidecar': [
    [
      'yori sidecar --port 9322 --policies ./policies',
      'http://127.0.0.1:9322/llm/openai',
    ],
    ['yori sidecar --config yori.conf', 'with the mode of that file, where it has one'],
  ],
  'yori processor': [
    ['yori processor list', 'those of the configuration'],
    ['yori processor test guard', 'is it there, and what does it say of a sample'],
  ],
  'yori processor list': [
    ['yori processor list', 'name, dialect, and what its word may lead to'],
    ['yori processor list --json', 'for programs'],
  ],
  'yori processor test': [
    ['yori processor test guard', 'its handshake, its latency, its word'],
    ['yori processor test guard --text "a secret"', 'of a sample that says so'],
  ],
  'yori waf': [
    ['yori waf status', 'whether it looks, and by which rules'],
    ['yori waf tune --since 7d', 'which rules spoke on whom, and what to do'],
  ],
  'yori waf status': [
    ['yori waf status', 'for people'],
    ['yori waf status --json', 'for programs'],
  ],
  'yori waf rules': [
    ['yori waf rules list', 'which versions there are'],
    ['yori waf rules use 3.3.4', 'go back to one of before'],
  ],
  'yori waf rules list': [
    ['yori waf rules list', 'what is installed, kept and in use'],
    ['yori waf rules list --json', 'for programs'],
  ],
  'yori waf rules use': [
    ['yori waf rules use 3.3.4', 'one of those that the list has'],
    ['yori waf rules use installed', 'that of waf.rules again'],
  ],
  'yori waf rules add': [
    ['yori waf rules add ./coreruleset-4.7.0', 'beside the others, to be chosen'],
    ['yori waf rules add ./coreruleset-4.7.0 --json', 'for programs'],
  ],
  'yori waf tune': [
    ['yori waf tune --since 7d', 'a week of the record, and exclusions to paste'],
    [
      'yori waf tune --dry-run ./coreruleset-4.7.0 --recordings ./recordings',
      'what other rules would change',
    ],
  ],
  'yori key': [
    ['yori key create --for app --monthly-usd 20', 'printed once, kept as a digest'],
    ['yori key list', 'whose there are, and what they have used'],
  ],
  'yori key create': [
    ['yori key create --for app --models "gpt-4o*" claude-x', 'for some models'],
    [
      'yori key create --for app --monthly-usd 20 --rpm 60 --tpm 100000 --expires 90d',
      'with a budget, rates, and an end',
    ],
    ['yori key create --for batch --tag team:search --json', 'for programs'],
  ],
  'yori key list': [
    ['yori key list', 'names, limits, and what this month has cost'],
    ['yori key list --json', 'for programs'],
  ],
  'yori key revoke': [
    ['yori key revoke app', 'good for nothing within a second'],
    ['yori key revoke app --json', 'for programs'],
  ],
  'yori key rotate': [
    ['yori key rotate app', 'another key, the same limits'],
    ['yori key rotate app --json', 'for programs'],
  ],
  'yori stats': [
    ['yori stats --since 30d', 'what a month cost, by device, model and day'],
    ['yori stats --endpoint api.openai.com', 'of one provider'],
  ],
  'yori report': [
    ['yori report --since 7d', 'the week of the household'],
    ['yori report --since 30d --html > report.html', 'a month, to print'],
    ['yori report --mail', 'sent through the sink of type email'],
  ],
  'yori exec': [
    ['yori exec -- claude -p "What is in this folder?"', 'one prompt of an agent'],
    ['yori exec --ephemeral -- npm run agent', 'a program of yours, leaving nothing'],
    ['yori exec --base-url -- bun agent.ts', 'a program that knows no proxy'],
    ['yori exec --max-usd 2 -- codex', 'ended when it has spent two dollars'],
    ['yori exec --replay recordings -- npm test', 'without provider, network and keys'],
  ],
  'yori browser': [
    ['yori browser https://chatgpt.com', 'a page through YORI, in a profile of its own'],
    ['yori browser --ephemeral https://claude.ai -- --incognito', 'and nothing is left'],
  ],
  'yori env': [
    ['eval "$(yori env)"', 'lead this whole shell through YORI'],
    ['yori env --shell powershell', 'for another shell'],
  ],
  'yori detect': [
    ['yori detect ./letter.txt', 'personal data, secrets and orders in a file'],
    ['pbpaste | yori detect -', 'in what was copied'],
    ['yori detect --lines rows.jsonl', 'a JSON row a line, for programs'],
  ],
  'yori policy': [
    ['yori policy list', 'which are in force, and what each may do'],
    ['yori policy check ./policies', 'whether they are sound'],
  ],
  'yori policy eval': [
    ['yori policy eval --query "1 + 1"', 'an expression'],
    [
      'yori policy eval ./bedtime.rego --query data.yori.bedtime.deny --input in.json',
      'what a policy says of a request',
    ],
  ],
  'yori policy test': [
    ['yori policy test ./policies', 'the rules that start with test_'],
    ['yori policy test ./policies --verbose', 'and those that pass'],
  ],
  'yori policy check': [
    ['yori policy check ./policies', 'every file of a folder'],
    ['yori policy check ./bedtime.rego --json', 'one file, for programs'],
  ],
  'yori policy list': [
    ['yori policy list', 'which are in force, and what each may do'],
    ['yori policy list --json', 'for programs'],
  ],
  'yori policy diff': [
    ['yori policy diff --set bedtime.action=block', 'what a week would have met'],
    ['yori policy diff --since 30d --policies ./policies', 'with other policies'],
    ['yori policy diff --resume --set bedtime.action=block', 'on, where Ctrl-C ended it'],
  ],
  'yori policy bundle': [
    ['yori policy bundle list', 'sets for a family, a school, an office, agents'],
    ['yori policy bundle install family', 'explained first, then in force'],
  ],
  'yori policy bundle list': [
    ['yori policy bundle list', 'which there are, and which are in force'],
    ['yori policy bundle list --json', 'for programs'],
  ],
  'yori policy bundle show': [
    ['yori policy bundle show family', 'what it does, and what it would change'],
    ['yori policy bundle show agents --json', 'for programs'],
  ],
  'yori policy bundle install': [
    ['yori policy bundle install family', 'shows what changes, and asks'],
    ['yori policy bundle install office --yes', 'consents without being asked'],
  ],
  'yori policy suggest': [
    ['yori policy suggest', 'what the last month calls for'],
    ['yori policy suggest --since 7d', 'the last week'],
  ],
  'yori time': [
    ['yori time list', 'every time there is'],
    ['yori time add bedtime --start 21:00 --end 07:00 --action block', 'a bedtime'],
  ],
  'yori time add': [
    [
      'yori time add bedtime --start 21:00 --end 07:00 --action block',
      'every night, for all',
    ],
    [
      'yori time add homework --start 15:00 --end 18:00 --days mon,tue,wed,thu,fri',
      'an exception from all policies',
    ],
  ],
  'yori time remove': [
    ['yori time remove bedtime', 'by the name it was added with'],
    ['yori time remove bedtime --json', 'for programs'],
  ],
  'yori time list': [
    ['yori time list', 'every time there is'],
    ['yori time list --json', 'for programs'],
  ],
  'yori allowlist': [
    ['yori allowlist list', 'who is on it'],
    ['yori allowlist add 192.168.1.23 laptop', 'put a device on it'],
  ],
  'yori allowlist add': [
    ['yori allowlist add 192.168.1.23 laptop', 'by its address'],
    ['yori allowlist add 00:53:00:12:34:56 phone --expires 7d', 'for a week'],
  ],
  'yori allowlist remove': [
    ['yori allowlist remove 192.168.1.23', 'by its address'],
    ['yori allowlist remove 00:53:00:12:34:56', 'by its MAC'],
  ],
  'yori allowlist list': [
    ['yori allowlist list', 'who is on it'],
    ['yori allowlist list --json', 'for programs'],
  ],
  'yori allowlist check': [
    ['yori allowlist check 192.168.1.23', 'says it, and by its exit code'],
    ['yori allowlist check 2001:db8::23 --json', 'for programs'],
  ],
  'yori device': [
    ['yori device list', 'what there is, and what is new'],
    ['yori device name 192.168.1.20 tablet', 'what it is called'],
  ],
  'yori person': [
    ['yori person list', 'everybody'],
    ['yori person set Mia --closed 20:30-07:00', 'a night for Mia'],
  ],
  'yori device list': [
    ['yori device list', 'new ones are marked'],
    ['yori device list --json', 'for programs'],
  ],
  'yori device name': [
    ['yori device name 192.168.1.20 tablet', 'as it is called everywhere'],
    ['yori device name tablet --none', 'no name any more'],
  ],
  'yori device group': [
    ['yori device group tablet children', 'for policies and times of that group'],
    ['yori device group tablet --none', 'in no group any more'],
  ],
  'yori device person': [
    ['yori device person tablet Mia', 'it is hers'],
    ['yori device person tablet --none', "it is nobody's"],
  ],
  'yori person list': [
    ['yori person list', 'everybody'],
    ['yori person list --json', 'for programs'],
  ],
  'yori person set': [
    ['yori person set Mia --group children --closed 20:30-07:00', 'a night'],
    ['yori person set Mia --messages 30 --usd none', 'a day, and no limit of cost'],
  ],
  'yori person export': [
    ['yori person export Ada', 'every exchange of her devices, as JSON Lines'],
    ['yori person export Ada > ada.jsonl', 'into a file, to hand over'],
  ],
  'yori person forget': [
    ['yori person forget Ada --content', 'what was said goes, counts and times stay'],
    ['yori person forget Ada --yes', 'every row goes, without being asked'],
  ],
  'yori person remove': [
    ['yori person remove Mia', 'her devices stay'],
    ['yori person remove Mia --json', 'for programs'],
  ],
  'yori pause': [
    ['yori pause tablet 10m', 'no AI service there for ten minutes'],
    ['yori pause Mia --end', 'on all her devices as before'],
  ],
  'yori allow': [
    ['yori allow Mia 30m', 'half an hour more, on all her devices'],
    ['yori allow Mia --end', 'as before'],
  ],
  'yori approve': [
    ['yori approve', 'what was refused and waits for a word'],
    ['yori approve 7F3-K2M', 'what stood on the block page, for a while'],
    ['yori approve 7F3-K2M --for 2h', 'for two hours'],
    ['yori approve --list', 'what is granted now'],
  ],
  'yori pin': [
    ['yori pin make 7F3-K2M', 'a number for who was blocked'],
    ['yori pin list', 'those that are good now'],
  ],
  'yori pin make': [
    ['yori pin make 7F3-K2M', 'good for five minutes'],
    ['yori pin make 7F3-K2M --minutes 30 --digits 8', 'longer in both ways'],
  ],
  'yori pin list': [
    ['yori pin list', 'those that are good now'],
    ['yori pin list --json', 'for programs'],
  ],
  'yori pin revoke': [
    ['yori pin revoke 5b1f', 'by the id that list shows'],
    ['yori pin revoke 5b1f --json', 'for programs'],
  ],
  'yori emergency': [
    ['yori emergency activate --reason "exam today"', 'end all blocking for an hour'],
    ['yori emergency status', 'whether it is active'],
  ],
  'yori emergency activate': [
    ['yori emergency activate --reason "exam today"', 'for an hour'],
    ['yori emergency activate --reason "exam today" --minutes 15', 'for less'],
  ],
  'yori emergency deactivate': [
    ['yori emergency deactivate', 'before its time'],
    ['yori emergency deactivate --json', 'for programs'],
  ],
  'yori emergency extend': [
    ['yori emergency extend 30', 'half an hour more'],
    ['yori emergency extend 30 --json', 'for programs'],
  ],
  'yori emergency status': [
    ['yori emergency status', 'whether it is active'],
    ['yori emergency status --json', 'for programs'],
  ],
  'yori emergency set-password': [
    ['yori emergency set-password', 'asks for it'],
    ['yori emergency set-password --json', 'for programs'],
  ],
  'yori config': [
    ['yori config init', 'a commented file to start from'],
    ['yori config check', 'every problem of it'],
  ],
  'yori config check': [
    ['yori config check', 'the file that would be found'],
    ['yori config check --config ./yori.conf --json', 'this one, for programs'],
  ],
  'yori config show': [
    ['yori config show', 'what is in force, and where it came from'],
    ['yori config show --json', 'for programs'],
  ],
  'yori config init': [
    ['yori config init', 'yori.conf in this folder'],
    ['yori config init --out -', 'only show it'],
  ],
  'yori config migrate': [
    ['yori config migrate --dry-run', 'what an older file would become'],
    ['yori config migrate --config ./yori.conf --out new.conf', 'beside the old one'],
  ],
  'yori config explain': [
    ['yori config explain audit.retention_days', 'one key'],
    ['yori config explain limits', 'a section'],
  ],
  'yori ca': [
    ['yori ca export --install', 'make this machine trust it'],
    ['yori ca show', 'what each certificate can sign'],
  ],
  'yori ca init': [
    ['yori ca init', 'does nothing when there is one'],
    ['yori ca init --json', 'for programs'],
  ],
  'yori ca show': [
    ['yori ca show', 'fingerprints, and until when'],
    ['yori ca show --json', 'for programs'],
  ],
  'yori ca export': [
    ['yori ca export --install', 'make this machine trust it'],
    ['yori ca export --format mobileconfig --out yori.mobileconfig', 'for an iPhone'],
    [
      'yori ca export --format mobileconfig --sign-with office.crt,office.key --out y.mobileconfig',
      'signed',
    ],
  ],
  'yori ca rotate': [
    ['yori ca rotate', 'a new issuing CA, at once'],
    ['yori ca rotate --root', 'begin with a new root, step by step'],
  ],
  'yori ca import': [
    ['yori ca import --cert root.pem --key root.key', 'a root of your own'],
    ['yori ca import --root-key root.key', 'the key, back from where it was kept'],
  ],
  'yori ca issue': [
    ['yori ca issue --for attic --out attic-ca', 'for another gateway, 30 days'],
    ['yori ca issue --for attic --out attic-ca --force --days 7', 'anew, for a week'],
  ],
  'yori ca take': [
    ['yori ca take attic-ca', 'on that gateway'],
    ['yori ca take attic-ca --json', 'for programs'],
  ],
  'yori ca trust-check': [
    ['yori ca trust-check', 'by the proxy that this shell names'],
    ['yori ca trust-check --direct', 'as a device on the network'],
  ],
  'yori ca trust': [
    ['yori ca trust list', 'every known device'],
    ['yori ca trust list --missing', 'who does not trust the root yet'],
  ],
  'yori ca trust list': [
    ['yori ca trust list --missing', 'who does not trust the root yet'],
    ['yori ca trust list --json', 'for programs'],
  ],
  'yori backup': [
    ['yori backup yori-backup.tar.gz', 'while it runs'],
    ['yori backup --force /mnt/usb/yori.tar.gz', 'over the one of last week'],
  ],
  'yori restore': [
    ['yori restore yori-backup.tar.gz', 'on a new machine, before the first start'],
    ['yori restore --config ./yori.conf yori-backup.tar.gz', 'of another configuration'],
  ],
  'yori pf': [
    ['yori pf status', 'what is steered'],
    ['yori pf generate --backend nft-tproxy', 'see the rules'],
  ],
  'yori pf generate': [
    ['yori pf generate --backend nft-tproxy', 'for nftables'],
    [
      'yori pf generate --lan em1 --exempt 192.168.1.9',
      'another LAN, without one device',
    ],
  ],
  'yori pf check': [
    ['yori pf check /etc/pf.conf', 'a file'],
    ['yori pf generate | yori pf check -', 'what generate prints'],
  ],
  'yori pf apply': [
    ['yori pf apply', 'the usual backend of this system'],
    ['yori pf apply --backend nft-redirect', 'another one'],
  ],
  'yori pf remove': [
    ['yori pf remove', 'packets go their own way again'],
    ['yori pf remove --json', 'for programs'],
  ],
  'yori pf status': [
    ['yori pf status', 'what is steered, and when it could not be'],
    ['yori pf status --json', 'for programs'],
  ],
  'yori service': [
    ['yori service install --dry-run', 'show every step, take none'],
    ['yori service uninstall', 'undo what install did'],
  ],
  'yori service install': [
    ['yori service install --dry-run', 'show every step, take none'],
    ['yori service install --no-steer', 'a proxy only'],
  ],
  'yori service uninstall': [
    ['yori service uninstall', 'CA and records stay'],
    ['yori service uninstall --purge', 'those too'],
  ],
  'yori explain': [
    ['yori explain YORI_UPSTREAM_UNTRUSTED', 'one code'],
    ['yori explain', 'every code, a line each'],
  ],
  'yori doctor': [
    ['yori doctor', 'look, and say what mends it'],
    ['yori doctor --probe', 'also send a connection on the way of clients'],
  ],
  'yori pinning': [
    ['yori pinning list', 'what was learned'],
    ['yori pinning clear', 'try all of them again'],
  ],
  'yori pinning list': [
    ['yori pinning list', 'what was learned, and until when'],
    ['yori pinning list --json', 'for programs'],
  ],
  'yori pinning clear': [
    ['yori pinning clear', 'everything'],
    ['yori pinning clear api.openai.com --device 192.168.1.23', 'one name of one device'],
  ],
  'yori providers': [
    ['yori providers list', 'whom YORI knows'],
    ['yori providers check', 'whether the catalogue holds'],
  ],
  'yori providers list': [
    ['yori providers list', 'whom YORI knows'],
    ['yori providers list --json', 'for programs'],
  ],
  'yori providers check': [
    ['yori providers check', 'the catalogue in force'],
    ['yori providers check ./catalogue.yaml', 'one before it is used'],
  ],
  'yori completion': [
    ['source <(yori completion bash)', 'for this shell'],
    ['yori completion fish > yori.fish', 'a file to keep'],
  ],
  'yori man': [
    ['yori man | man -l -', 'read it'],
    ['yori man > yori.1', 'a file to keep'],
  ],
  'yori hash-password': [
    ['yori hash-password', 'asks for the password'],
    ['yori hash-password > hash.txt', 'keep what it prints'],
  ],
}

/** For the end of a command's help; empty for a command that has none. */
export function examplesText(command: string): string {
  const examples = EXAMPLES[command] ?? []
  const lines = examples.map(([typed, does]) => `  $ ${typed}\n      ${does}\n`)
  return lines.length === 0 ? '' : `\nExamples:\n${lines.join('')}`
}
